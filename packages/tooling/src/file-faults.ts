/** Power cuts and full disks for programs under test: see the folder of this name. */
export { cutPower, type PowerCut, writeDisk } from "./file-faults/power-cut.ts";
export { type Recorded, readRecorded, record } from "./file-faults/record.ts";
export { hasCompiler, setRoom, withFaults } from "./file-faults/shim.ts";
