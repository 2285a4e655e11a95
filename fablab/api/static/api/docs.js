"use strict";
(function () {
  var place = document.getElementById("swagger-ui");
  // Signed in on the pages, one may try requests here too: they carry the page's own protection.
  function cookie(ending) {
    var found = document.cookie.split("; ").filter(function (part) {
      return part.split("=")[0].slice(-ending.length) === ending;
    });
    return found.length ? decodeURIComponent(found[0].split("=")[1]) : "";
  }
  window.SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: function (request) {
      if (request.method !== "GET") {
        request.headers["X-CSRFToken"] = cookie("csrftoken") || cookie("csrf");
      }
      return request;
    }
  });
})();
