import * as assert from "uvu/assert";
import { CommandError } from "../../../admin/errors.ts";
import type { Exporter } from "../../../admin/exporter.ts";
import { settableClock } from "../../../engine/clock.ts";
import { adminServer, ask, opened } from "../../kit/admin_server.ts";
import { suite } from "../../kit/suite.ts";
import { tinyEngine } from "../../kit/tiny_grid.ts";

const test = suite("exports over HTTP");

test("a table is an attachment that is called as the table is, in each of its forms", async () => {
  const exporter: Exporter = {
    async pieces({ table, form }) {
      if (table !== "history") throw new CommandError("NOT_FOUND", `no table ${table} to export`);
      return (async function* () {
        yield Buffer.from(`${form}\n`);
      })();
    },
  };
  const server = await adminServer(tinyEngine(), { exporter });
  try {
    for (const [search, form, type] of [
      ["", "jsonl", "application/x-ndjson"],
      ["?format=csv", "csv", "text/csv; charset=utf-8"],
    ] as const) {
      const { headers, text } = await ask(server, `/v1/export/history${search}`);
      assert.equal(
        [headers["content-disposition"], headers["content-type"], text],
        [`attachment; filename="history.${form}"`, type, `${form}\n`],
      );
    }
    const none = await ask(server, "/v1/export/%22;x");
    assert.equal([none.status, none.headers["content-disposition"]], [404, undefined]);
  } finally {
    await server.close();
  }
});

test("a reader that takes nothing for ten seconds is cut, and what reads the table for it ends", async () => {
  const clock = settableClock();
  let isEnded = false;
  const exporter: Exporter = {
    pieces: async () =>
      (async function* () {
        try {
          for (;;) yield Buffer.alloc(65_536, "x");
        } finally {
          isEnded = true;
        }
      })(),
  };
  const server = await adminServer(tinyEngine(), { exporter, clock });
  try {
    const { response } = await opened(server, "/v1/export/history"); // Never read.
    const cut = new Promise<void>((resolve) => response.once("error", () => resolve()));
    while (!isEnded) {
      await clock.asleep(); // Also while a connection takes what fits into it: then for a moment only.
      clock.advance(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.resume(); // What was on its way; then the end that is no end.
    await cut;
  } finally {
    await server.close();
  }
});
