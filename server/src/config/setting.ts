import { z } from 'zod'
import type { NumberSetting } from '../health/health-settings.ts'

declare module 'zod' {
  interface GlobalMeta {
    /** What a valid value is, completing "expected …"; for messages and for the reference. */
    expected?: string
  }
}

/** A string for which `isValid` holds. `expected` completes "expected …". */
export function text(expected: string, description: string, isValid: (value: string) => boolean = isNotEmpty) {
  return z.string({ error: expected }).refine(isValid, { error: expected }).meta({ expected, description })
}

export function flag(description: string) {
  return z.boolean({ error: 'true or false' }).meta({ expected: 'true or false', description })
}

export function list<Item extends z.ZodType>(item: Item, expected: string, description: string, least = 0) {
  return z.array(item, { error: expected }).min(least, { error: expected }).meta({ expected, description })
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  const expected = values.join(' or ')
  return z.enum(values, { error: expected }).meta({ expected, description })
}

/** An object of numbers, each with its default, from a table that documents them. */
export function numbers<Name extends string>(table: Readonly<Record<Name, NumberSetting>>, description: string) {
  const expected = 'settings with numbers'
  // The cast only says what the line does: every key of the table with a number that has a default.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const shape = Object.fromEntries(
    Object.entries<NumberSetting>(table).map(([name, setting]) => [name, number(setting)]),
  ) as Record<Name, ReturnType<typeof number>>
  return z.strictObject(shape, { error: expected }).meta({ expected, description })
}

function number({ byDefault, least, most, unit, purpose }: NumberSetting) {
  const whole = unit === 'share' || unit === 'times' ? 'a number' : 'a whole number'
  const expected = `${whole} from ${least} to ${most}`
  const base = z.number({ error: expected }).min(least, { error: expected }).max(most, { error: expected })
  const checked = whole === 'a number' ? base : base.refine(Number.isSafeInteger, { error: expected })
  return checked.default(byDefault).meta({ expected, description: purpose })
}

function isNotEmpty(value: string): boolean {
  return value !== ''
}
