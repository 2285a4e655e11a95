/* Figures, ages, speech and pieces of pages: what live.js changes on the screen (attributes: docs/design.md).
   Words come from the server in the reader's language: pieces are fetched again, only figures are bound here.
   Never moves focus, waits while a finger is down, speaks little (A11Y-4, A11Y-5). Syntax of 2017 (A11Y-25). */
(function () {
  "use strict";
  var words = document.getElementById("words");
  if (!words || !window.fetch) return;

  var STALE_MS = 15000, SPEAK_MS = 10000, AGAIN_MS = 5000;
  var offset = Date.parse(document.body.dataset.now) - Date.now() || 0; // the server's clock, not the phone's

  function all(selector, root) { return Array.from((root || document).querySelectorAll(selector)); }
  function now() { return Date.now() + offset; }
  function get(data, path) {
    return path.split(".").reduce(function (part, name) {
      return part === null || part === undefined ? undefined : part[name];
    }, data);
  }

  function rootsOf(topic) {
    return all("[data-live-topic]").filter(function (root) { return root.dataset.liveTopic === topic; });
  }

  /* --- figures ------------------------------------------------------------------------------------------------ */
  function shown(value, format) {
    if (value === null || value === undefined) return "–";
    return format === "integer" ? String(Math.floor(Number(value))) : String(value);
  }
  function matches(data, condition) { // "state=running|paused", "plate!=clear", "progress.percent"
    var parts = /^([\w.]+)(?:(!?=)(.*))?$/.exec(condition.trim());
    if (!parts) return true;
    var value = get(data, parts[1]);
    if (!parts[2]) return Boolean(value);
    return (parts[3].split("|").indexOf(String(value)) >= 0) === (parts[2] === "=");
  }
  function own(root, selector) { // without what belongs to a topic inside this one
    return all(selector, root).concat(root.matches(selector) ? [root] : []).filter(function (element) {
      return element.closest("[data-live-topic]") === root;
    });
  }
  function setText(element, text) { if (element.textContent !== text) element.textContent = text; }
  function bind(root, data) {
    own(root, "[data-bind]").forEach(function (element) {
      setText(element, shown(get(data, element.dataset.bind), element.dataset.bindFormat));
    });
    own(root, "[data-bind-attr]").forEach(function (element) {
      element.dataset.bindAttr.split(",").forEach(function (pair) {
        var at = pair.indexOf(":"), value = get(data, pair.slice(at + 1).trim());
        if (value === null || value === undefined) element.removeAttribute(pair.slice(0, at).trim());
        else element.setAttribute(pair.slice(0, at).trim(), value);
      });
    });
    own(root, "[data-show-if]").forEach(function (element) { element.hidden = !matches(data, element.dataset.showIf); });
    if (root.dataset.bindAge) {
      var seen = get(data, root.dataset.bindAge);
      if (seen) own(root, "[data-age]").forEach(function (element) { element.setAttribute("datetime", seen); });
    }
  }
  function tellAges() {
    all("[data-age]").forEach(function (element) {
      var seconds = Math.max(0, (now() - Date.parse(element.getAttribute("datetime"))) / 1000);
      if (isNaN(seconds)) return;
      var unit = seconds < 5 ? "Now" : seconds < 60 ? "S" : seconds < 3600 ? "Min" : "H";
      var count = unit === "S" ? Math.floor(seconds / 5) * 5 : Math.floor(seconds / (unit === "Min" ? 60 : 3600));
      setText(element, words.dataset["words" + unit].replace("{n}", count));
      var root = element.closest("[data-bind-age]");
      if (!root) return;
      if (seconds * 1000 > STALE_MS) root.setAttribute("data-stale", "");
      else root.removeAttribute("data-stale");
    });
  }

  /* --- speech --------------------------------------------------------------------------------------------------- */
  var spokenAt = -SPEAK_MS, pending = new Map(), speakTimer = 0, alerted = new Set(), quarters = new Map();
  function speak(topic, text, important) {
    var before = pending.get(topic);
    if (before && before.important && !important) return; // a change of state is not overwritten by a figure
    pending.set(topic, { text: text, important: important });
    if (!speakTimer) speakTimer = setTimeout(speakNext, Math.max(300, spokenAt + SPEAK_MS - performance.now()));
  }
  function speakNext() {
    speakTimer = 0;
    var texts = [];
    pending.forEach(function (message) { texts.push(message.text); });
    pending.clear();
    if (!texts.length) return;
    document.getElementById("live-polite").textContent = texts.join(". ");
    spokenAt = performance.now();
  }
  function speakState(root) {
    var topic = root.dataset.liveTopic, text = root.dataset.speak;
    if (!text) return;
    if (root.hasAttribute("data-speak-alert")) {
      if (!alerted.has(topic + text)) document.getElementById("live-alert").textContent = text;
      alerted.add(topic + text);
    } else speak(topic, text, true);
    // Browsers refuse it, and complain, until the person has touched the page.
    var touched = !navigator.userActivation || navigator.userActivation.hasBeenActive;
    if (root.hasAttribute("data-vibrate") && navigator.vibrate && touched) navigator.vibrate(200);
  }
  function speakPercent(topic, data) {
    var percent = get(data, "progress.percent");
    if (typeof percent !== "number" || data.state !== "running") return;
    var step = Math.floor(percent / 25) * 25, before = quarters.get(topic);
    quarters.set(topic, step);
    if (before === undefined || step <= before) return;
    var root = rootsOf(topic).filter(function (one) { return one.dataset.speakPercent; })[0];
    if (root) speak(topic, root.dataset.speakPercent.replace("{n}", step), false);
  }

  /* --- pieces of pages ---------------------------------------------------------------------------------------- */
  var paused = false, pressed = false, over = false, fetching = false, fetchTimer = 0;
  var dirty = new Set(), kept = new Set(); // kept: waits until the person has let go
  var dataOf = function () {};

  function want(region) {
    if (!region.id) return;
    dirty.add(region.id);
    fetchIn(200);
  }
  function fetchIn(delay) {
    if (!fetchTimer && !fetching) fetchTimer = setTimeout(fetchWanted, delay);
  }
  function letGo() {
    setTimeout(function () {
      pressed = false;
      if (paused || !kept.size) return;
      kept.forEach(function (id) { dirty.add(id); });
      kept.clear();
      fetchIn(0);
    }, 300);
  }
  function tell(name, detail) { document.dispatchEvent(new CustomEvent("fablab:" + name, { detail: detail })); }
  function held(region, fresh) { // would the swap take the focus away?
    var focus = document.activeElement;
    if (!focus || focus === document.body || !region.contains(focus) || focus === region) return null;
    if (focus.matches("input:not([type=hidden]), select, textarea")) return true;
    var key = focusKey(focus);
    return key && all("a, button", fresh).some(function (one) { return focusKey(one) === key; }) ? key : true;
  }
  function focusKey(element) {
    if (element.id) return "#" + element.id;
    if (element.matches("a[href]")) return "a " + element.getAttribute("href");
    var form = element.closest("form");
    return element.matches("button") && form ? "b " + form.getAttribute("action") + " " + element.name + element.value : "";
  }
  function swap(region, fresh) {
    var key = held(region, fresh);
    if (paused || pressed || key === true || region.querySelector(".busy")) { kept.add(region.id); return; }
    var said = region.dataset.speak;
    Array.from(region.attributes).forEach(function (one) {
      if (!fresh.hasAttribute(one.name)) region.removeAttribute(one.name);
    });
    Array.from(fresh.attributes).forEach(function (one) { region.setAttribute(one.name, one.value); });
    region.innerHTML = fresh.innerHTML;
    if (key) all("a, button", region).some(function (one) {
      if (focusKey(one) !== key) return false;
      one.focus({ preventScroll: true }); // the same control as before: where the person was
      return true;
    });
    all("[data-live-topic]", region).concat([region]).forEach(function (root) {
      var data = root.dataset.liveTopic && dataOf(root.dataset.liveTopic);
      if (data) bind(root, data);
    });
    if (region.dataset.speak !== said) speakState(region);
    tellAges();
    tell("swapped", region);
  }
  function fetchPage(url, ids) {
    return fetch(url, { credentials: "same-origin", headers: { "X-Requested-With": "live" } }).then(function (answer) {
      if (answer.redirected || [401, 403, 404].indexOf(answer.status) >= 0) { over = true; tell("gone"); return ""; }
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.text();
    }).then(function (text) {
      var page = new DOMParser().parseFromString(text, "text/html");
      ids.forEach(function (id) {
        var region = document.getElementById(id), fresh = page.getElementById(id);
        if (region && fresh && !same(region, fresh)) swap(region, fresh);
      });
      return true;
    }).catch(function () {
      ids.forEach(function (id) { dirty.add(id); });
      return false;
    });
  }
  function fetchWanted() {
    fetchTimer = 0;
    if (over || !dirty.size) return;
    if (paused || document.hidden) { fetchIn(AGAIN_MS); return; }
    var byUrl = new Map();
    dirty.forEach(function (id) {
      var region = document.getElementById(id);
      if (!region) return;
      var url = region.dataset.fragmentUrl || location.href.split("#")[0];
      byUrl.set(url, (byUrl.get(url) || []).concat([id]));
    });
    dirty.clear();
    fetching = true;
    var pages = Array.from(byUrl.keys()).map(function (url) { return fetchPage(url, byUrl.get(url)); });
    Promise.all(pages).then(function (done) {
      var well = done.every(Boolean);
      fetching = false;
      if (!over) tell("fetched", well);
      if (dirty.size) fetchIn(well ? 1000 : AGAIN_MS);
    });
  }
  function same(region, fresh) { // keys of forms are new each time and change nothing that people see
    function plain(element) {
      return element.outerHTML.replace(/(name="(?:idempotency_key|csrfmiddlewaretoken)" value=")[^"]*/g, "$1");
    }
    return plain(region) === plain(fresh);
  }

  document.addEventListener("pointerdown", function () { pressed = true; }, true);
  ["pointerup", "pointercancel", "focusout"].forEach(function (name) { document.addEventListener(name, letGo, true); });

  window.fablab.pieces = {
    all: all, get: get, own: own, bind: bind, want: want, rootsOf: rootsOf, tellAges: tellAges, speakPercent: speakPercent,
    know: function (lookup) { dataOf = lookup; },
    pause: function (yes) { paused = yes; if (!yes) letGo(); }
  };
})();
