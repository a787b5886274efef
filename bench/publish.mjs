/**
 * Writes what README.md and docs/ show of a run: `node bench/publish.mjs [RESULTS]`. Without a file it is that of the last whole
 * run, which has been published already: again after the text around the figures has changed.
 */
import { publish } from './harness/publish.mjs'
import { RESULTS, readResults } from './harness/results.mjs'

publish(readResults(process.argv[2] ?? RESULTS))
