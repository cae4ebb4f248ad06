import type { Grid } from "./grid.ts";
import type { Tariff } from "./load_curve.ts";
import { type Random, streams } from "./random.ts";
import { shifted } from "./rounding.ts";
import { type Labelled, unlabelled } from "./truth.ts";

/** A customer, keys in column order. Dates are civil dates; the open end is 9999-12-31. */
export interface CustomerRow {
  readonly customer_id: string;
  readonly customer_name: string;
  readonly meter_id: string;
  readonly transformer_id: string;
  readonly region: string;
  readonly state: string;
  readonly tariff_category: Tariff;
  readonly connection_type: "SINGLE_PHASE" | "THREE_PHASE";
  readonly sanctioned_load_kw: number;
  readonly account_status: "ACTIVE" | "SUSPENDED" | "CLOSED";
  /** ₹, two decimals. */
  readonly outstanding_balance: number;
  readonly record_effective_date: string;
  readonly record_end_date: string;
  readonly is_current: boolean;
  readonly scd_version: number;
}

/** The master row of a customer. */
export function customerMaster(grid: Grid): (customer: number) => CustomerRow {
  const randoms = streams(grid.seed, "customer_master");
  return (customer) => {
    const random = randoms(customer);
    const meter = grid.meterOf(customer);
    const transformer = grid.transformerOf(meter);
    const place = grid.placeOf(grid.substationOf(transformer));
    const tariff = tariffOf(random);
    const sanctionedLoadKw = random.pick(SANCTIONED_LOADS_KW[tariff]);
    return {
      customer_id: grid.customerId(customer),
      customer_name: `${random.pick(GIVEN_NAMES)} ${random.pick(FAMILY_NAMES)}`,
      meter_id: grid.meterId(meter),
      transformer_id: grid.transformerId(transformer),
      region: place.region,
      state: place.state,
      tariff_category: tariff,
      connection_type: sanctionedLoadKw >= 8 ? "THREE_PHASE" : "SINGLE_PHASE",
      sanctioned_load_kw: sanctionedLoadKw,
      account_status: grid.isOpen(customer) ? "ACTIVE" : random.pick(["SUSPENDED", "CLOSED"]),
      outstanding_balance: random.unit() < 0.6 ? 0 : shifted(random.integer(10_00, 9_000_00), 2),
      record_effective_date: "2024-01-01",
      record_end_date: "9999-12-31",
      is_current: true,
      scd_version: 1,
    };
  };
}

export function* customerSnapshot(grid: Grid): Generator<Labelled<CustomerRow>> {
  const rowOf = customerMaster(grid);
  for (let customer = 0; customer < grid.customers; customer += 1) yield unlabelled(rowOf(customer));
}

const SANCTIONED_LOADS_KW = {
  RESIDENTIAL: [2, 3, 4, 5, 6, 8, 10],
  COMMERCIAL: [8, 10, 15, 20, 30, 40],
  INDUSTRIAL: [50, 75, 100, 125, 150],
  AGRICULTURAL: [5, 7.5, 10, 15],
} as const;

const GIVEN_NAMES = [
  "Aarav",
  "Aditi",
  "Anil",
  "Asha",
  "Deepak",
  "Divya",
  "Farah",
  "Gauri",
  "Imran",
  "Ishaan",
  "Kavya",
  "Lakshmi",
  "Manoj",
  "Meera",
  "Neha",
  "Nikhil",
  "Pooja",
  "Rahul",
  "Ravi",
  "Sana",
  "Suresh",
  "Tara",
  "Vijay",
  "Zoya",
] as const;
const FAMILY_NAMES = [
  "Banerjee",
  "Chauhan",
  "Das",
  "Deshmukh",
  "Fernandes",
  "Gupta",
  "Iyer",
  "Joshi",
  "Khan",
  "Kulkarni",
  "Mehta",
  "Mishra",
  "Nair",
  "Patel",
  "Pillai",
  "Rao",
  "Reddy",
  "Sahu",
  "Sharma",
  "Singh",
  "Verma",
  "Yadav",
] as const;

function tariffOf(random: Random): Tariff {
  const share = random.unit();
  if (share < 0.7) return "RESIDENTIAL";
  if (share < 0.88) return "COMMERCIAL";
  return share < 0.94 ? "INDUSTRIAL" : "AGRICULTURAL";
}
