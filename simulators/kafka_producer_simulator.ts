import { liveProgram } from "./live_program.ts";
import { exitWith } from "./program.ts";

// Source 1 of the data guide, live: `tsx simulators/kafka_producer_simulator.ts 30` sends 90 readings in 30 s. With `--to stdout` no broker is needed.
exitWith(liveProgram({ profile: "meters", to: "kafka://127.0.0.1:9092/energy.smart_meter.readings" }));
