import * as assert from "uvu/assert";
import { encoded, html, lines } from "../../../admin/console/html.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("console templates");

test("text is escaped, in contents and in attributes; markup of templates is not", () => {
  const hostile = `"><img src=x onerror='alert(1)'>&\``;
  assert.is(
    html`<p title="${hostile}">${hostile}${html`<b>${1}</b>`}</p>`.markup,
    '<p title="&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&#96;">&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&#96;<b>1</b></p>',
  );
});

test("nothing is nothing, and lists stand one after another", () => {
  assert.is(html`${null}${undefined}${[html`<i>`, "<", 0]}`.markup, "<i>&lt;0");
});

test("what cannot be seen is shown as an escape", () => {
  assert.is(html`${"a\u001b[2Jb\u202ec\u0000d\ne"}`.markup, "a\\u001b[2Jb\\u202ec\\u0000d\\ne");
  assert.is(lines("a\n<b>\r").markup, "a\n&lt;b&gt;\\r");
});

test("what only looks like markup of ours is refused", () => {
  const pretended = JSON.parse('{"markup":"<script>"}') as string; // Has the property, but was made by nobody here.
  assert.throws(() => html`${pretended}`);
});

test("any text can be a segment of an address", () => {
  assert.is(encoded("a/b?c#d\ud800"), "a%2Fb%3Fc%23d%EF%BF%BD");
});
