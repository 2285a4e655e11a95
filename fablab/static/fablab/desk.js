/* Faster ways for instructors and staff, on top of pages that work without them: keys at the desk, a connection tried
   without leaving its form, a key asked for while OctoPrint waits. Syntax of 2017, nothing inline (A11Y-25). */
(function () {
  "use strict";
  function one(selector, root) { return (root || document).querySelector(selector); }
  function all(selector, root) { return Array.from((root || document).querySelectorAll(selector)); }

  /* --- keys: A; R or C, then 1 to 7; S; U. They can be switched off (WCAG 2.1.4) ---------------------------------- */
  var line = one("[data-desk-keys]"), toggle = one("[data-desk-keys-toggle]"), KEPT = "fablab-desk-keys";
  var on = true, armed = "";
  function kept(value) {
    try {
      if (value === undefined) return window.localStorage.getItem(KEPT);
      window.localStorage.setItem(KEPT, value);
    } catch (refused) { return null; } // private windows may not keep anything
    return value;
  }
  function show() {
    toggle.textContent = on ? toggle.dataset.wordsOff : toggle.dataset.wordsOn;
    one("span", line).hidden = !on;
  }
  function arm(name) {
    armed = name;
    var form = one("[data-desk-refuse]");
    if (form) form.setAttribute("data-armed", name);
    var first = form && one("input[type=radio]:checked, input[type=radio]", form);
    if (name && first) first.focus();
  }
  function press(button) { if (button && !button.disabled) button.click(); }
  function choose(number) {
    var form = one("[data-desk-refuse]"), choice = all("input[name=reason]", form)[number - 1];
    if (!choice) return;
    choice.checked = true;
    var button = one("[data-key=" + armed + "]", form);
    arm("");
    press(button);
  }
  function typing(target) {
    return target.closest("select, textarea, [contenteditable]") ||
      (target.matches("input") && !target.matches("[type=radio], [type=checkbox], [type=submit]"));
  }
  if (line) {
    on = kept() !== "off";
    line.hidden = false;
    show();
    toggle.addEventListener("click", function () {
      on = !on;
      kept(on ? "on" : "off");
      show();
    });
    document.addEventListener("keydown", function (event) {
      if (!on || event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
      var key = event.key.toLowerCase();
      if (armed && /^[1-7]$/.test(key)) { event.preventDefault(); choose(Number(key)); return; }
      if (key === "r" || key === "c") { event.preventDefault(); arm(key); return; }
      if (key === "escape" && armed) { arm(""); return; }
      if (key === "u") { event.preventDefault(); press(one(".undo button")); return; }
      if (key === "a" || key === "s") { event.preventDefault(); arm(""); press(one("[data-key=" + key + "]")); }
    });
  }

  /* --- a sent file is being checked: look again soon ---------------------------------------------------------------- */
  function lookAgain() {
    if (!one("[data-desk-again]")) return;
    setTimeout(function () {
      var region = document.getElementById("attached");
      if (!region) return;
      if (window.fablab.pieces) window.fablab.pieces.want(region);
      lookAgain();
    }, 2000);
  }
  lookAgain();

  /* --- only what the chosen connection needs is asked for; what is hidden is not read by the server either --------- */
  all("form[data-connection]").forEach(function (form) {
    var choice = one("select[name=driver]", form);
    if (!choice) return;
    function fit() {
      all("[data-for-kinds]", form).forEach(function (part) {
        part.hidden = part.getAttribute("data-for-kinds").split(" ").indexOf(choice.value) < 0;
      });
    }
    all("[data-kind-label]", form).forEach(function (label) { label.hidden = true; });
    choice.addEventListener("change", fit);
    fit();
  });

  /* --- trying a connection: only the answer is replaced, what was typed stays ------------------------------------- */
  all("form[data-connection]").forEach(function (form) {
    var button = one("[data-connection-test]", form), answer = document.getElementById("connection-answer");
    if (!button || !answer || !window.fetch || !window.FormData) return;
    button.addEventListener("click", function (event) {
      event.preventDefault();
      if (form.classList.contains("busy")) return;
      form.classList.add("busy");
      answer.textContent = button.dataset.wordsTrying;
      fetch(button.formAction, {
        method: "POST", body: new FormData(form), credentials: "same-origin", headers: { "X-Requested-With": "live" }
      }).then(function (response) { return response.text(); }).then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("connection-answer");
        answer.innerHTML = fresh ? fresh.innerHTML : button.dataset.wordsFailed;
      }).catch(function () {
        answer.textContent = button.dataset.wordsFailed;
      }).then(function () { form.classList.remove("busy"); });
    });
  });

  /* --- a key is asked for: OctoPrint forgets who does not ask again within seconds -------------------------------- */
  all("form[data-key-poll]").forEach(function (form) {
    var said = one("[data-key-words]", form);
    function ask() {
      fetch(form.action, {
        method: "POST", body: new FormData(form), credentials: "same-origin",
        headers: { "X-Requested-With": "live", Accept: "application/json" }
      }).then(function (response) { return response.json(); }).then(function (answer) {
        said.textContent = answer.sentence;
        if (answer.state === "waiting") setTimeout(ask, 1000);
        else location.assign(answer.url);
      }).catch(function () { setTimeout(ask, 3000); });
    }
    ask();
  });
})();
