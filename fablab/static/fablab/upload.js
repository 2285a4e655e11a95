/* Uploads with a bar that go on where the line was cut (tus 1.0): form[data-upload] with components/file_field.html.
   Without this script the browser sends the form itself. */
(function () {
  "use strict";
  var words = document.getElementById("words");
  var HOME = "/api/v1/uploads/resumable/", PIECE = 1048576, HASHED = 67108864; // bytes
  var WAITS_S = [1, 2, 5, 10, 20, 40], SILENT_MS = 60000, kept;
  function tell(form, text) {
    var line = form.querySelector("[data-upload-words]");
    if (line && line.textContent !== text) line.textContent = text;
  }
  function tooBig(input) {
    var limit = Number(input.dataset.limit);
    return Array.from(input.files).some(function (file) { return file.size > limit; });
  }
  function check(input) {
    input.setCustomValidity(tooBig(input) ? words.dataset.wordsTooBig : "");
    if (input.validationMessage) input.reportValidity();
  }

  function dropZone(zone) {
    var input = zone.querySelector("input[type=file]"), line = zone.querySelector("[data-drop-words]");
    input.addEventListener("change", function () { check(input); });
    if (!window.DataTransfer || !window.matchMedia("(hover: hover)").matches) return;
    line.hidden = false;
    ["dragover", "dragleave", "drop"].forEach(function (name) {
      zone.addEventListener(name, function (event) {
        event.preventDefault();
        zone.classList.toggle("file-over", name === "dragover");
        if (name !== "drop" || !event.dataTransfer.files.length) return;
        input.files = event.dataTransfer.files;
        check(input);
      });
    });
  }

  function replacePage(request, input) {
    var page = new DOMParser().parseFromString(request.responseText, "text/html");
    var fresh = page.getElementById("main"), main = document.getElementById("main");
    if (!fresh) { location.assign(request.responseURL || location.href); return; }
    main.innerHTML = fresh.innerHTML;
    fresh = main.querySelector("[data-drop] input");
    if (fresh && request.status === 507) fresh.files = input.files;
    enhance(main);
    window.fablab.enhance(main);
    window.fablab.focusProblem(main);
  }

  /* Rejects with nothing when there is no answer: worth another try. */
  function ask(method, address, headers, body, moved) {
    return new Promise(function (resolve, reject) {
      var request = new XMLHttpRequest(), timer;
      function alive() { clearTimeout(timer); timer = setTimeout(function () { request.abort(); }, SILENT_MS); }
      request.open(method, address);
      Object.keys(headers).forEach(function (name) { request.setRequestHeader(name, headers[name]); });
      request.upload.onprogress = function (progress) { alive(); if (moved) moved(progress.loaded); };
      request.onloadend = function () {
        var status = request.status;
        clearTimeout(timer);
        if (!status || status === 408 || status > 499 && status !== 507) reject();
        else resolve(request);
      };
      alive();
      request.send(body);
    });
  }
  function checked(request) { // a refusal holds for good: its words are thrown
    if (request.status < 400) return Number(request.getResponseHeader("Upload-Offset"));
    var told = {};
    try { told = JSON.parse(request.responseText); } catch (error) { told.code = ""; }
    if (/^(not_found|too_often|arriving_(busy|moved_on))$/.test(told.code)) throw undefined;
    throw told.detail || words.dataset.wordsNotSent;
  }
  async function hashOf(file) { // where it is cheap: a secure page, and a file that fits into memory
    if (!window.crypto || !crypto.subtle || file.size > HASHED) return "";
    var digest = await crypto.subtle.digest("SHA-256", await new Response(file).arrayBuffer());
    return Array.from(new Uint8Array(digest), function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
  }
  async function begin(part, token) {
    var hash = await hashOf(part.file);
    var begun = await ask("POST", HOME, {
      "X-CSRFToken": token, "Upload-Length": part.file.size,
      "Upload-Metadata": "filename " + btoa(unescape(encodeURIComponent(part.file.name))) + (hash && ",sha256 " + btoa(hash))
    });
    part.offset = checked(begun);
    part.place = begun.getResponseHeader("Location");
  }
  async function deliver(part, token, moved) {
    var file = part.file, from, request;
    while (part.offset < file.size) {
      from = part.offset;
      if (!part.place) await begin(part, token);
      else if (from < 0) { // the line was cut: what did arrive?
        request = await ask("HEAD", part.place, {});
        if (request.status === 404) part.place = "";
        else part.offset = checked(request);
      } else {
        part.offset = -1;
        moved(from);
        part.offset = checked(await ask("PATCH", part.place, {
          "X-CSRFToken": token, "Upload-Offset": from, "Content-Type": "application/offset+octet-stream"
        }, file.slice(from, from + PIECE), function (loaded) { moved(from + loaded); }));
      }
    }
    return part.place.slice(HOME.length, -1);
  }
  function pause(tries) { // or until the device has a line again
    return new Promise(function (resolve) {
      function go() { resolve(tries + 1); }
      setTimeout(go, WAITS_S[tries] * 1000);
      addEventListener("online", go, { once: true });
    });
  }
  async function send(form, input, data) {
    var bar = form.querySelector("progress"), again = form.querySelector("[data-upload-again]"), part = kept, file = input.files[0];
    var token = data.get("csrfmiddlewaretoken"), spoken = -1, furthest = 0, tries = 0, answer;
    if (!part || part.file !== file) part = kept = { file: file, place: "", offset: -1 };
    again.hidden = true;
    function moved(bytes) {
      var percent = Math.floor(100 * bytes / file.size), step = Math.floor(percent / 25) * 25;
      bar.value = percent;
      if (bytes > furthest) { furthest = bytes; tries = 0; }
      if (step !== spoken) { spoken = step; tell(form, words.dataset.wordsSending.replace("{n}", step)); }
    }
    while (!answer) {
      try {
        data.set("arrived", await deliver(part, token, moved));
        tell(form, words.dataset.wordsReceived);
        answer = await ask("POST", form.action, { "X-Requested-With": "upload" }, data); // its key makes it count once
      } catch (refusal) {
        again.hidden = refusal || tries < WAITS_S.length;
        if (!again.hidden || refusal) throw refusal;
        spoken = -1;
        tell(form, words.dataset.wordsCut);
        tries = await pause(tries);
      }
    }
    if (answer.responseURL !== form.action && answer.status < 400) location.assign(answer.responseURL);
    else replacePage(answer, input);
  }
  function submit(form, event) {
    var input = form.querySelector("input[type=file]"), file = input && input.files[0];
    if (!file || !file.size) return;
    event.preventDefault();
    if (form.classList.contains("busy")) return;
    var data = new FormData(form, event.submitter || undefined);
    data.delete(input.name);
    form.classList.add("busy");
    form.setAttribute("aria-busy", "true");
    form.querySelector("[data-upload-progress]").hidden = false;
    send(form, input, data).catch(function (refusal) {
      tell(form, typeof refusal === "string" ? refusal : words.dataset.wordsNotSent);
    }).then(function () {
      form.classList.remove("busy");
      form.removeAttribute("aria-busy");
    });
  }
  function enhance(root) {
    root.querySelectorAll("[data-drop]").forEach(dropZone);
    root.querySelectorAll("form[data-upload]").forEach(function (form) {
      form.addEventListener("submit", function (event) { submit(form, event); });
    });
  }
  enhance(document);
})();
