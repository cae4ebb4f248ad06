import { encoded, type Html, html } from "./html.ts";
import type { Page, PageContext, PageName } from "./page.ts";

const PAGES: readonly { readonly name: PageName; readonly path: string; readonly label: string; readonly key: string }[] = [
  { name: "overview", path: "/", label: "Overview", key: "g o" },
  { name: "grid", path: "/grid", label: "Grid", key: "g g" },
  { name: "alerts", path: "/alerts", label: "Alerts", key: "g a" },
  { name: "pipeline", path: "/pipeline", label: "Pipeline", key: "g p" },
  { name: "quarantine", path: "/quarantine", label: "Quarantine", key: "g q" },
  { name: "about", path: "/about", label: "About", key: "g b" },
];

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["/", "find an id"],
  ...PAGES.map(({ key, label }) => [key, label.toLowerCase()] as const),
  ["[  ]", "step back and on in time"],
  ["← →", "walk the points of a chart, open and close rows of the grid"],
  ["?", "this help"],
];

/** The whole document: head, navigation, search, what is live, and the page. */
export function framed({ title, at, body }: Page, base: string, { caller, path, search, facts }: PageContext): string {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · gridactor</title>
<link rel="icon" href="${base}favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${base}uplot.css">
<link rel="stylesheet" href="${base}console.css">
<script type="module" src="${base}console.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the page</a>
<header class="top">
<a class="brand" href="/"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 1.5 17.4 5.75v8.5L10 18.5 2.6 14.25v-8.5z"/><circle cx="10" cy="10" r="2.6"/></svg>gridactor</a>
<nav aria-label="Pages"><ul>${PAGES.map(
    (page) => html`<li><a href="${page.path}"${page.name === at ? html` aria-current="page"` : null}>${page.label}</a></li>`,
  )}</ul></nav>
<form class="find" role="search" action="/find">
<label class="unseen" for="find">Find an actor, alert or quarantined record by its id</label>
<input id="find" name="id" type="search" placeholder="Find an id" autocomplete="off" spellcheck="false" list="found" maxlength="128">
<datalist id="found"></datalist><kbd aria-hidden="true">/</kbd>
</form>
<p class="pulse" data-live><span class="dot" aria-hidden="true"></span><span data-live-text>not live</span></p>
${who(caller.name, path + search)}
</header>
<main id="main" tabindex="-1">${body}</main>
<footer class="bottom"><span>gridactor ${facts.version}</span><span>Times are UTC, in event time.</span><span class="scripted">Press <kbd>?</kbd> for keys.</span></footer>
<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl class="keys">${KEYS.map(
    ([keys, what]) => html`<div><dt><kbd>${keys}</kbd></dt><dd>${what}</dd></div>`,
  )}</dl><form method="dialog"><button>Close</button></form></dialog>
<p class="unseen" role="status" data-said></p>
</body>
</html>
`;
  return document.markup;
}

function who(name: string | null, from: string): Html {
  if (name === null) return html`<a class="who" href="/login?next=${encoded(from)}">Log in</a>`;
  return html`<form class="who" method="post" action="/logout"><button title="Log out ${name}">${name} · log out</button></form>`;
}
