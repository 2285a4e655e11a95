/* Small comforts on top of forms that work without them. The attributes are listed in docs/design.md. */
(function () {
  "use strict";
  var words = document.getElementById("words");
  function all(selector, root) { return Array.from((root || document).querySelectorAll(selector)); }

  /* A form counts once: the second press is swallowed. The server holds the same promise by the key in the form. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.classList.contains("busy")) { event.preventDefault(); return; }
    if (event.defaultPrevented || form.method === "get") return;
    form.classList.add("busy");
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", function () {
    all("form.busy").forEach(function (form) { form.classList.remove("busy"); form.removeAttribute("aria-busy"); });
  });

  /* What went wrong is heard and reached first. */
  function focusProblem(root) {
    var problem = (root || document).querySelector("[data-focus]");
    if (problem) problem.focus();
  }

  /* Menus close with Escape and when the person goes elsewhere. */
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    all("[data-menu][open]").forEach(function (menu) { menu.open = false; menu.querySelector("summary").focus(); });
  });
  document.addEventListener("click", function (event) {
    all("[data-menu][open]").forEach(function (menu) { if (!menu.contains(event.target)) menu.open = false; });
    var show = event.target.closest("[data-show]"), copy = event.target.closest("[data-copy]");
    if (show) {
      var input = document.getElementById(show.dataset.show), hidden = input.type === "password", label = show.textContent;
      input.type = hidden ? "text" : "password";
      show.textContent = show.dataset.wordsHide;
      show.dataset.wordsHide = label;
    }
    if (copy) navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent.trim()).then(function () {
      copy.textContent = words.dataset.wordsCopied;
      document.getElementById("live-polite").textContent = words.dataset.wordsCopied;
    });
  });

  /* Ten seconds to change one's mind: a figure counts down, nothing blinks; at nought the button goes. */
  function countDown(bar) {
    var offset = Date.parse(document.body.dataset.now) - Date.now() || 0;
    var until = Date.parse(bar.dataset.undoUntil), figure = bar.querySelector("[data-undo-count]");
    bar.removeAttribute("role"); // counted down in silence: a status would be read out each second
    function tick() {
      var left = Math.ceil((until - Date.now() - offset) / 1000);
      if (left > 0) { figure.textContent = left; setTimeout(tick, 250); return; }
      var form = bar.querySelector("form"), main = document.getElementById("main");
      if (form.classList.contains("busy")) return;
      if (form.contains(document.activeElement) && main) main.focus({ preventScroll: true });
      form.remove();
    }
    if (until) tick();
  }

  function enhance(root) {
    all("[data-undo-until]", root).forEach(countDown);
    all("[data-show]", root).forEach(function (button) { button.hidden = false; });
    all("[data-copy]", root).forEach(function (button) { button.hidden = !navigator.clipboard; });
  }
  function start() { enhance(document); focusProblem(); }
  document.addEventListener("fablab:swapped", function (event) { enhance(event.detail); });
  window.fablab = { enhance: enhance, focusProblem: focusProblem };
  start();
})();
