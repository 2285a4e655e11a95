/* Uploads with a bar, on top of a plain multipart form: form[data-upload] holding components/file_field.html.
   Without this script the same form is sent by the browser itself. */
(function () {
  "use strict";
  var words = document.getElementById("words");
  function all(selector, root) { return Array.from((root || document).querySelectorAll(selector)); }
  function tell(form, text) {
    var line = form.querySelector("[data-upload-words]");
    if (line && line.textContent !== text) line.textContent = text;
  }
  function tooBig(input) {
    var limit = Number(input.dataset.limit);
    return limit > 0 && Array.from(input.files).some(function (file) { return file.size > limit; });
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

  function replacePage(request) {
    var page = new DOMParser().parseFromString(request.responseText, "text/html");
    var fresh = page.getElementById("main"), main = document.getElementById("main");
    if (!fresh) { location.assign(request.responseURL || location.href); return; }
    main.innerHTML = fresh.innerHTML;
    enhance(main);
    window.fablab.enhance(main);
    window.fablab.focusProblem(main);
  }

  function send(form, event) {
    var input = form.querySelector("input[type=file]"), box = form.querySelector("[data-upload-progress]");
    if (!input || !input.files.length || !box || !window.FormData) return;
    event.preventDefault();
    if (form.dataset.sending) return;
    form.dataset.sending = "1";
    var bar = box.querySelector("progress"), request = new XMLHttpRequest(), spoken = -1;
    function end(text) {
      delete form.dataset.sending;
      form.classList.remove("busy");
      form.removeAttribute("aria-busy");
      tell(form, text);
    }
    form.classList.add("busy");
    form.setAttribute("aria-busy", "true");
    box.hidden = false;
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "upload");
    request.upload.onprogress = function (progress) {
      if (!progress.lengthComputable) return;
      var percent = Math.floor(100 * progress.loaded / progress.total), step = Math.floor(percent / 25) * 25;
      bar.value = percent;
      if (step !== spoken) { spoken = step; tell(form, words.dataset.wordsSending.replace("{n}", step)); }
    };
    request.upload.onload = function () { tell(form, words.dataset.wordsReceived); };
    request.onload = function () {
      if (request.status >= 500 || !request.status) { end(words.dataset.wordsNotSent); return; }
      if (request.responseURL && request.responseURL !== form.action && request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      delete form.dataset.sending;
      replacePage(request);
    };
    request.onerror = request.ontimeout = function () { end(words.dataset.wordsNotSent); };
    request.send(new FormData(form, event.submitter || undefined));
  }
  function enhance(root) {
    all("[data-drop]", root).forEach(dropZone);
    all("form[data-upload]", root).forEach(function (form) {
      form.addEventListener("submit", function (event) { send(form, event); });
    });
  }
  enhance(document);
})();
