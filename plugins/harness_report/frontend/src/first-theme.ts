/** Runs in the head, before anything is painted: a theme that the address names never flashes in the other. */
const asked = /[?&]theme=(light|dark)(?:&|$)/.exec(location.hash)?.[1];
if (asked) document.documentElement.dataset.theme = asked;
