/**
 * Source text in which the insides of comments, strings, templates and regular expressions are blanks; what stands in `${}` stays, being
 * code. Length and lines are kept, so an offset means the same in both. Good for searching, not for compiling: a regular expression right
 * behind a `)` is taken for a division. Throws if a brace or a template is left open at the end, rather than take code for text.
 */
export function codeOnly(text: string): string {
  const open: string[] = []; // What encloses the present place: "`", "${" or "{".
  let code = "";
  let before = ""; // The last token that is neither blank nor comment.
  while (code.length < text.length) {
    const inTemplate = open.at(-1) === "`";
    const token = next(text, code.length, inTemplate, before);
    code += shown(token, inTemplate);
    if (token === "`" && inTemplate) open.pop();
    else if (token === "`" || token === "${" || (token === "{" && !inTemplate)) open.push(token);
    else if (token === "}" && !inTemplate) open.pop(); // In a template a lone brace is text.
    if (!/^(\s|\/\/|\/\*)/.test(token)) before = token;
  }
  if (open.length > 0) throw new Error(`${open.join(" ")} is left open`);
  return code;
}

const TEMPLATE = /`|\$\{|(?:\\[\s\S]|\$(?!\{)|[^`\\$])+/y;
const REGEXP = /\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y;
const CODE = /\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|[\w$]+|\s+|[\s\S]/y;
const ENDS_A_VALUE = /^(?!(?:return|typeof|case|in|of|do|else|void|await|yield)$)[\w$]|^[)\]}"'`]/;

function next(text: string, at: number, inTemplate: boolean, before: string): string {
  const patterns = inTemplate ? [TEMPLATE] : ENDS_A_VALUE.test(before) ? [CODE] : [REGEXP, CODE];
  for (const pattern of patterns) {
    pattern.lastIndex = at;
    const token = pattern.exec(text)?.[0];
    if (token !== undefined) return token;
  }
  return text.slice(at); // The lone backslash at the end of a text that is no TypeScript.
}

function shown(token: string, inTemplate: boolean): string {
  if (token === "`" || token === "${") return token;
  if (inTemplate || /^\/[^\s=]/.test(token)) return blank(token);
  return /^["']./s.test(token) ? token.charAt(0) + blank(token.slice(1, -1)) + token.charAt(0) : token;
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}
