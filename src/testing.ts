/**
 * `daybook/testing`: a clock that tests move, a cluster's log in memory, and the cases that every journal and every log must pass.
 */
export type { Duration } from './cache/arguments/duration.js'
export type { Clock } from './core/model/clock.js'
export { type MemoryLogEngine, type MemoryLogOptions, memoryLog } from './edges/cluster/memory/engine.js'
export type { Case } from './testing/conformance/case.js'
export { journalCases } from './testing/conformance/journal-cases.js'
export { logCases } from './testing/conformance/log-cases.js'
export type { LogsOfOneName } from './testing/conformance/log-nodes.js'
export type { JournalMaker } from './testing/conformance/reopen.js'
export { ManualClock } from './testing/manual-clock.js'
