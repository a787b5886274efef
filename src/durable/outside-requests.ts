/**
 * Runs a function outside the async context (`AsyncLocalStorage`) of the current call. Timers, ports and promises that outlive a
 * call keep its context, and in Node.js 20 with it everything that a server stores for a request: so what a cache
 * arms, opens or starts for itself, it does in here. Then its subscribers do not run as part of some request, either.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

export const outsideRequests: <A extends unknown[], R>(task: (...parameters: A) => R, ...parameters: A) => R =
  AsyncLocalStorage.snapshot()
