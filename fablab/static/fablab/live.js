/* The live line: one websocket, its topics, and a slower way round when it is blocked (protocol: docs/design.md).
   What it changes on the screen is in pieces.js. Syntax of 2017, no library, no inline code (A11Y-25). */
(function () {
  "use strict";
  var words = document.getElementById("words"), pieces = window.fablab && window.fablab.pieces;
  if (!words || !pieces) return;

  var POLL_MS = 10000, PING_MS = 20000, SLOW_MS = 5000;
  var topics = new Map(); // topic → {version, data}
  var socket = null, failures = 0, retryTimer = 0, pingTimer = 0, pongTimer = 0, slowTimer = 0, pollTimer = 0;
  var paused = false, over = false, cameBack = false;
  var all = pieces.all, get = pieces.get;

  pieces.know(function (topic) { return topics.has(topic) ? topics.get(topic).data : undefined; });

  function merge(into, patch) { // RFC 7396
    if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
    var result = into !== null && typeof into === "object" && !Array.isArray(into) ? Object.assign({}, into) : {};
    Object.keys(patch).forEach(function (name) {
      if (patch[name] === null) delete result[name];
      else result[name] = merge(result[name], patch[name]);
    });
    return result;
  }
  function changed(topic, before, data, first) {
    pieces.rootsOf(topic).forEach(function (root) {
      pieces.own(root, "[data-live]").forEach(function (region) {
        var paths = (region.dataset.fragmentOn || "state").split(/\s+/);
        var differs = first
          ? region.dataset.fragmentKey !== undefined && region.dataset.fragmentKey !== String(get(data, paths[0]))
          : paths.some(function (path) {
              return path === "*" || JSON.stringify(get(before, path)) !== JSON.stringify(get(data, path));
            });
        if (differs) pieces.want(region);
      });
      if (!paused) pieces.bind(root, data);
    });
    if (!paused) pieces.tellAges();
  }
  function receive(message) {
    var entry = topics.get(message.topic), before;
    if (message.type === "pong") { clearTimeout(pongTimer); return; }
    if (!entry) return;
    if (message.type === "refused") {
      topics.delete(message.topic);
      pieces.rootsOf(message.topic).forEach(function (root) { root.setAttribute("data-live-refused", ""); });
      return;
    }
    before = entry.data;
    if (message.type === "snapshot") { entry.data = message.data; entry.asked = false; }
    else if (message.type === "change") {
      if (message.version <= entry.version) return;
      if (message.after !== entry.version) {
        if (!entry.asked) send({ type: "subscribe", topic: message.topic });
        entry.asked = true;
        return;
      }
      entry.data = merge(before, message.data);
    } else return;
    entry.version = message.version;
    changed(message.topic, before, entry.data, before === undefined);
    pieces.speakPercent(message.topic, entry.data);
  }
  function send(message) { if (socket && socket.readyState === 1) socket.send(JSON.stringify(message)); }
  function subscribeAll() {
    var roots = all("[data-live-topic]:not([data-live-refused])");
    var wanted = new Set(roots.map(function (root) { return root.dataset.liveTopic; }));
    wanted.forEach(function (topic) {
      if (topics.has(topic)) return;
      topics.set(topic, {});
      send({ type: "subscribe", topic: topic });
    });
    topics.forEach(function (entry, topic) {
      if (wanted.has(topic)) return;
      topics.delete(topic);
      send({ type: "unsubscribe", topic: topic });
    });
  }

  /* --- the line ------------------------------------------------------------------------------------------------- */
  function say(text) {
    var status = document.querySelector("[data-live-status]");
    if (status) { status.textContent = text; status.hidden = !text; }
  }
  function poll() {
    if (document.hidden || paused) return;
    all("[data-live]").forEach(function (region) {
      if (!region.parentElement.closest("[data-live]")) pieces.want(region);
    });
  }
  function slow() {
    if (over) return;
    if (!paused) say(words.dataset.wordsSlow);
    showRefresh(true);
    if (!pollTimer) { pollTimer = setInterval(poll, POLL_MS); poll(); }
  }
  function live() {
    clearTimeout(slowTimer);
    clearInterval(pollTimer);
    slowTimer = pollTimer = 0;
    if (!paused) say("");
    showRefresh(false);
  }
  function stop() { // signed out, or no longer allowed: the link is all that is left
    over = true;
    clearInterval(pollTimer);
    say(words.dataset.wordsSlow);
    showRefresh(true);
    if (socket) socket.close();
  }
  function showRefresh(yes) { all("[data-live-refresh]").forEach(function (link) { link.hidden = !yes; }); }
  function beat() {
    clearTimeout(pongTimer);
    var mine = socket;
    send({ type: "ping" });
    pongTimer = setTimeout(function () { if (mine) { mine.close(); lost(mine, 0); } }, PING_MS / 2);
  }
  function connect() {
    clearTimeout(retryTimer);
    if (over || !topics.size || (socket && socket.readyState < 2)) return;
    if (!slowTimer && !pollTimer) slowTimer = setTimeout(slow, SLOW_MS);
    var mine, address = words.dataset.liveUrl;
    try { mine = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + address); }
    catch (refused) { slow(); return; }
    socket = mine;
    mine.onopen = function () {
      topics.forEach(function (entry, topic) { entry.asked = false; send({ type: "subscribe", topic: topic }); });
      clearInterval(pingTimer);
      pingTimer = setInterval(beat, PING_MS);
      live();
      if (cameBack) poll(); // regions without a topic may have missed something
      cameBack = true;
    };
    mine.onmessage = function (event) { failures = 0; receive(JSON.parse(event.data)); };
    mine.onclose = function (event) { lost(mine, event.code); };
  }
  function lost(mine, code) { // a dead line may take minutes to report its own end
    if (mine !== socket) return;
    socket = null;
    clearInterval(pingTimer);
    clearTimeout(pongTimer);
    if (code === 4401 || code === 4403) { slow(); return; } // the next look at the page settles it
    failures += 1;
    if (failures > 1) slow();
    else if (!slowTimer && !pollTimer) slowTimer = setTimeout(slow, SLOW_MS);
    var longest = Math.min(30000, 1000 * Math.pow(2, failures - 1));
    retryTimer = setTimeout(connect, longest / 2 + Math.random() * longest / 2);
  }

  document.addEventListener("fablab:swapped", subscribeAll);
  document.addEventListener("fablab:gone", stop);
  document.addEventListener("fablab:fetched", function (event) {
    if (!event.detail) { say(words.dataset.wordsSlow); showRefresh(true); }
    else if (socket && socket.readyState === 1 && !paused) live();
  });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) return;
    pieces.tellAges();
    if (socket && socket.readyState === 1) beat(); else connect();
    if (pollTimer) poll();
  });
  window.addEventListener("online", connect);
  all("[data-live-pause]").forEach(function (button) {
    var off = button.textContent;
    button.addEventListener("click", function () {
      paused = !paused;
      pieces.pause(paused);
      button.textContent = paused ? button.dataset.wordsOn : off;
      say(paused ? words.dataset.wordsPaused : pollTimer ? words.dataset.wordsSlow : "");
      if (paused) return;
      topics.forEach(function (entry, topic) {
        if (entry.data) pieces.rootsOf(topic).forEach(function (root) { pieces.bind(root, entry.data); });
      });
      pieces.tellAges();
      poll();
    });
  });

  subscribeAll();
  if (topics.size || document.querySelector("[data-live]")) {
    all("[data-live-pause]").forEach(function (button) { button.hidden = false; });
    setInterval(function () { if (!paused) pieces.tellAges(); }, 1000);
    pieces.tellAges();
    if (topics.size) connect(); else pollTimer = setInterval(poll, POLL_MS);
  }
})();
