import { isNullAt } from "./byte_writer.ts";
import { ENGINE_TABLES } from "./engine_tables.ts";
import { invariant } from "./fault.ts";
import { JsonWriter } from "./json_writer.ts";
import { cellPlaces } from "./row_codec.ts";

/**
 * The one description of an alert event as CloudEvents 1.0 has it: the JSON text, and which cell of its logged row goes where. White space is
 * for the reader only. `source`: who says it, as JSON text.
 */
function eventShape(source: string): Shape {
  return shape`{
    "specversion": "1.0",
    "type": "energy.alert.${part("change")}.v1",
    "source": ${source},
    "id": ${cell("event_id")},
    "subject": ${cell("actor")},
    "time": ${instant("event_time")},
    "datacontenttype": "application/json",
    "dataschema": "urn:gridactor:alert:1",
    "partitionkey": ${cell("actor")},
    "sequence": "${SEQUENCE}",
    "data": {
      "alertId": ${cell("alert_id")},
      "rule": ${cell("rule")},
      "ruleVersion": ${cell("rule_version")},
      "severity": ${cell("severity")},
      "status": ${cell("status")},
      "startsAt": ${instant("starts_at")},
      "updatedAt": ${instant("event_time")},
      "endsAt": ${instant("ends_at")},
      "count": ${cell("count")},
      "flags": ${words("flags")},
      "actor": ${cell("actor")},
      "path": ${words("path")},
      "observation": {
        "metric": ${cell("metric")},
        "value": ${cell("value", "value_text")},
        "unit": ${cell("unit")},
        "expected": ${cell("expected")},
        "lower": ${cell("limit_lower")},
        "upper": ${cell("limit_upper")},
        "score": null,
        "n": ${cell("n")}
      },
      "evidence": [{
        "feed": ${cell("evidence_feed")},
        "source": ${cell("evidence_source")},
        "position": ${cell("evidence_position")},
        "eventId": ${cell("evidence_event_id")}
      }],
      "origin": ${cell("origin")},
      "suppressedBy": ${cell("suppressed_by")},
      "details": ${raw("details")}
    }
  }`;
}

/** Makes the writer of events: from a logged row of table `alerts` and its number to JSON text, UTF-8, as `JSON.stringify` would write it. */
export function alertJson(shard: string): (row: Uint8Array, sequence: number) => Uint8Array {
  const { literals, slots } = eventShape(JSON.stringify(`/gridactor/${shard}`));
  const json = new JsonWriter();
  const places = new Int32Array(COLUMNS.length);
  return (row, sequence) => {
    const bytes = Buffer.from(row.buffer, row.byteOffset, row.length);
    cellPlaces(bytes, places);
    json.begin();
    for (let n = 0; n < slots.length; n += 1) {
      json.bytes(literals[n] as Uint8Array);
      const { form, column, other } = slots[n] as Slot;
      const first = places[column] as number;
      const place = isNullAt(bytes, first) ? (places[other] as number) : first;
      if (form === "value") json.value(bytes, place);
      else if (form === "part") json.inner(bytes, place);
      else if (form === "instant") json.instant(bytes, place);
      else if (form === "words") json.words(bytes, place);
      else if (form === "json") json.json(bytes, place);
      else json.ascii(String(sequence).padStart(20, "0"));
    }
    json.bytes(literals[slots.length] as Uint8Array);
    return json.end();
  };
}

// The shape -----------------------------------------------------------------------------------------------------------------------------

type Form = "value" | "part" | "instant" | "words" | "json" | "sequence";

/** What goes between two literals: a cell in a form, or if it is null, the cell of the column `other`. */
interface Slot {
  readonly form: Form;
  readonly column: number;
  readonly other: number;
}

interface Shape {
  /** One more than slots. */
  readonly literals: readonly Uint8Array[];
  readonly slots: readonly Slot[];
}

const COLUMNS: readonly string[] = Object.keys(ENGINE_TABLES[0].columns);
const SEQUENCE: Slot = { form: "sequence", column: 0, other: 0 };

function slot(form: Form, column: string, other = column): Slot {
  const [at, otherAt] = [COLUMNS.indexOf(column), COLUMNS.indexOf(other)];
  invariant(at >= 0 && otherAt >= 0, `table alerts has columns ${column} and ${other}`);
  return { form, column: at, other: otherAt };
}

/** A cell as it is, or if it is null, the one of column `other`. */
function cell(column: string, other = column): Slot {
  return slot("value", column, other);
}

/** A text that is a part of a longer one. */
function part(column: string): Slot {
  return slot("part", column);
}

/** Epoch milliseconds as ISO 8601. */
function instant(column: string): Slot {
  return slot("instant", column);
}

/** Ids and flags hold no spaces: they are told apart by them. */
function words(column: string): Slot {
  return slot("words", column);
}

/** A text that is JSON already. */
function raw(column: string): Slot {
  return slot("json", column);
}

function shape(texts: TemplateStringsArray, ...given: readonly (Slot | string)[]): Shape {
  const literals: string[] = [""];
  const slots: Slot[] = [];
  for (let n = 0; n < texts.length; n += 1) {
    literals.push(`${literals.pop()}${(texts[n] as string).replaceAll(/\s+/g, "")}`);
    const next = given[n];
    if (typeof next === "string") literals.push(`${literals.pop()}${next}`);
    if (typeof next === "object") {
      slots.push(next);
      literals.push("");
    }
  }
  return { literals: literals.map((literal) => Buffer.from(literal)), slots };
}
