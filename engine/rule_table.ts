import { invariant } from "./fault.ts";
import type { ActorId } from "./ids.ts";
import type { Rule, RuleLimits } from "./rule.ts";

/** Numbers of a rule for a part of the grid. Of several that fit, the narrowest wins: actor over tariff over region. */
export interface RuleOverride {
  readonly region?: string;
  readonly tariff?: string;
  readonly actor?: ActorId;
  readonly limits: RuleLimits;
}

/** What the configuration says of a rule. */
export interface RuleSetting {
  readonly enabled: boolean;
  readonly limits: RuleLimits;
  readonly overrides: readonly RuleOverride[];
}

/** Where an actor stands, for overrides. */
export interface RuleScope {
  readonly region: string | null;
  readonly tariff: string | null;
}

interface InForce {
  readonly rule: Rule;
  readonly enabled: boolean;
  readonly isConfigured: boolean;
  readonly limits: RuleLimits;
  readonly overrides: readonly RuleOverride[];
  /** Override -> all limits where it wins. */
  readonly merged: ReadonlyMap<RuleOverride, RuleLimits>;
}

/** All rules with the limits in force. */
export class RuleTable {
  readonly #declared: readonly Rule[];
  #settings: ReadonlyMap<string, RuleSetting>;
  #rules: ReadonlyMap<string, InForce>;

  constructor(rules: readonly Rule[], settings: ReadonlyMap<string, RuleSetting> = new Map()) {
    this.#declared = rules;
    this.#settings = settings;
    this.#rules = new Map(rules.map((rule) => [rule.id, inForce(rule, settings.get(rule.id))]));
  }

  /** What was set beside the defaults. */
  get settings(): ReadonlyMap<string, RuleSetting> {
    return this.#settings;
  }

  /** From now on these settings are in force. Between two turns only; a rule that is not declared is passed over. */
  replace(settings: ReadonlyMap<string, RuleSetting>): void {
    this.#settings = settings;
    this.#rules = new Map(this.#declared.map((rule) => [rule.id, inForce(rule, settings.get(rule.id))]));
  }

  /** Whether there is a rule with this id. */
  has(id: string): boolean {
    return this.#rules.has(id);
  }

  rule(id: string): Rule {
    return this.#find(id).rule;
  }

  enabled(id: string): boolean {
    return this.#find(id).enabled;
  }

  /** `scope` is asked only if the rule has overrides: it costs a look at the actor. */
  limits(id: string, actor: ActorId, scope: () => RuleScope): RuleLimits {
    const found = this.#find(id);
    const narrowest = narrowestOf(found, actor, scope);
    return narrowest === null ? found.limits : (found.merged.get(narrowest) ?? found.limits);
  }

  /** Whose limits `limits` gives: `default`, `configured`, or what the narrowest override is for: `region NORTH`, `actor meter/SM-N-00042`. */
  limitsFrom(id: string, actor: ActorId, scope: () => RuleScope): string {
    const found = this.#find(id);
    const narrowest = narrowestOf(found, actor, scope);
    if (narrowest === null) return found.isConfigured ? "configured" : "default";
    const parts = (["region", "tariff", "actor"] as const).flatMap((name) =>
      narrowest[name] === undefined ? [] : [`${name} ${narrowest[name]}`],
    );
    return parts.join(", ");
  }

  #find(id: string): InForce {
    const found = this.#rules.get(id);
    invariant(found !== undefined, `rule ${id} is declared`);
    return found;
  }
}

function inForce(rule: Rule, setting: RuleSetting | undefined): InForce {
  if (setting === undefined) return { rule, enabled: true, isConfigured: false, limits: rule.limits, overrides: [], merged: new Map() };
  const isConfigured = Object.keys(setting.limits).length > 0;
  const limits = { ...rule.limits, ...setting.limits };
  const { enabled, overrides } = setting;
  const merged = new Map(overrides.map((one) => [one, { ...limits, ...one.limits }]));
  return { rule, enabled, isConfigured, limits, overrides, merged };
}

/** The override that wins; null: none fits. `scope` is asked only if one that may fit is for a region or a tariff. */
function narrowestOf({ overrides }: InForce, actor: ActorId, scope: () => RuleScope): RuleOverride | null {
  if (overrides.length === 0) return null;
  const mayFit = overrides.filter((one) => fits(one.actor, actor));
  const isScoped = mayFit.some((one) => one.region !== undefined || one.tariff !== undefined);
  const { region, tariff } = isScoped ? scope() : { region: null, tariff: null };
  return mayFit
    .filter((one) => fits(one.tariff, tariff) && fits(one.region, region))
    .reduce<RuleOverride | null>((best, one) => (best === null || narrowness(one) >= narrowness(best) ? one : best), null);
}

function fits(wanted: string | undefined, is: string | null): boolean {
  return wanted === undefined || wanted === is;
}

function narrowness(one: RuleOverride): number {
  return (one.actor === undefined ? 0 : 4) + (one.tariff === undefined ? 0 : 2) + (one.region === undefined ? 0 : 1);
}
