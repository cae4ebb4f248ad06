import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../errors.ts";

const TOKEN_BYTES = 32;

/** The token in `admin.token` of the state directory, made at the first start. Throws CONFIG if others can read the file, or it holds none. */
export function tokenOf(stateDir: string): string {
  const path = join(stateDir, "admin.token");
  const flags = constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW;
  const file = openSync(path, flags, 0o600);
  try {
    if ((fstatSync(file).mode & 0o077) !== 0) {
      throw new CommandError("CONFIG", `others can read ${path}`, { hint: "remove it: the next start makes a new one" });
    }
    const known = readFileSync(file, "utf8").trim();
    if (known.length >= TOKEN_BYTES) return known;
    if (known !== "") throw new CommandError("CONFIG", `${path} holds no token`, { hint: "remove it: the next start makes a new one" });
    const made = randomBytes(TOKEN_BYTES).toString("base64url");
    writeFileSync(file, `${made}\n`);
    return made;
  } finally {
    closeSync(file);
  }
}
