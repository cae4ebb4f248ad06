import { html } from "./html.ts";
import type { Page } from "./page.ts";

/** Where a token is given. `next`: the page that was wanted; `refused`: why the last token was none. */
export function login(next: string, refused: string | null): Page {
  const body = html`<section class="panel login" aria-labelledby="login-title"><header><h1 id="login-title">Log in</h1></header>
<form method="post" action="/login">
<input type="hidden" name="next" value="${next}">
<label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required maxlength="1024"${
    refused === null ? null : html` aria-describedby="refused" aria-invalid="true"`
  }>
${refused === null ? null : html`<p class="refused" id="refused" role="alert">${refused}</p>`}
<button>Log in</button>
</form>
<p class="note">The token is in <code>admin.token</code> of the state directory, or in the configuration (<code>admin.http.tokens</code>).</p></section>`;
  return { title: "Log in", at: null, body, status: refused === null ? 200 : 401 };
}
