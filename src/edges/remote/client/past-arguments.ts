/**
 * Checks the arguments of the methods that look back, and copies what is sent: nothing else could be in their message, which would make
 * its whole batch fail. The owner checks them as well. Before: remote-client.
 */
import { types } from 'node:util'
import { checkKey, checkOptions } from '../../../cache/arguments/arguments.js'
import { checkKeyPattern } from '../../../cache/arguments/key-pattern.js'
import {
  type AtOptions,
  checkHistoryLimit,
  type DiffOptions,
  type KeyHistoryOptions,
} from '../../../cache/history/looking-back.js'
import { checkWhen } from '../../../cache/history/when.js'

export function atArguments(when: unknown, options: unknown, prefix: string): unknown[] {
  return [whenToSend(when), patternToSend(options), prefix]
}

export function diffArguments(from: unknown, to: unknown, options: unknown): unknown[] {
  return [whenToSend(from, 'from'), to === undefined ? undefined : whenToSend(to, 'to'), patternToSend(options)]
}

export function historyArguments(key: unknown, options: KeyHistoryOptions = {}): unknown[] {
  checkKey(key)
  const { from, to, limit } = checkOptions(options, ['from', 'to', 'limit'])
  if (limit !== undefined) checkHistoryLimit(limit)
  const ends = { from: from && whenToSend(from, 'from'), to: to && whenToSend(to, 'to') }
  return [key, { ...ends, limit }]
}

function patternToSend(options: unknown): { pattern?: unknown } {
  const { pattern } = checkOptions((options ?? {}) as AtOptions & DiffOptions, ['pattern'])
  return pattern === undefined ? {} : { pattern: checkKeyPattern(pattern) }
}

function whenToSend(when: unknown, name?: string): unknown {
  checkWhen(when, 0, name)
  if (types.isDate(when)) return new Date(when.getTime())
  const { sequence, ago } = when as { sequence?: unknown; ago?: unknown }
  return ago === undefined ? { sequence } : { ago }
}
