"use strict";(()=>{var e=/[?&]theme=(light|dark)(?:&|$)/.exec(location.hash)?.[1];e&&(document.documentElement.dataset.theme=e);})();
