import { ENGINE_TABLES } from "../engine/engine_tables.ts";
import type { Feed } from "../engine/feed.ts";
import type { AnyBehaviour } from "../engine/population.ts";
import { resolveTable } from "../engine/table.ts";
import type { Domain } from "../engine/world.ts";
import { bill } from "./bill.ts";
import { customer } from "./customer.ts";
import { billing } from "./feeds/billing.ts";
import { customerMaster } from "./feeds/customer_master.ts";
import { maintenance } from "./feeds/maintenance.ts";
import { renewable } from "./feeds/renewable.ts";
import { smartMeter } from "./feeds/smart_meter.ts";
import { substationTelemetry } from "./feeds/substation_telemetry.ts";
import { transformerMaster } from "./feeds/transformer_master.ts";
import { meter } from "./meter.ts";
import { plant } from "./plant.ts";
import { region } from "./region.ts";
import { substation } from "./substation.ts";
import { TABLES } from "./tables.ts";
import { transformer } from "./transformer.ts";

/** Kinds in the order in which people list them. */
const BEHAVIOURS: readonly AnyBehaviour[] = [meter, customer, bill, transformer, substation, plant, region];

const FEEDS: readonly Feed[] = [smartMeter, substationTelemetry, billing, maintenance, transformerMaster, customerMaster, renewable];

/** The grid as the engine sees it: a new feed, kind of actor or table is one file and one line here. */
export const GRID: Domain = {
  behaviours: BEHAVIOURS,
  feeds: FEEDS,
  tables: [...TABLES, ...ENGINE_TABLES].map((table) => resolveTable(table, FEEDS.find((feed) => feed.name === table.feed) ?? null)),
};
