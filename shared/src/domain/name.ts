import { z } from 'zod'

/**
 * The name of an Incus object as it may stand in a path: at most 64 characters, no white space, none of
 * `$ ? & + " ' \` * /`, beginning and ending with a letter or digit (Incus `internal/server/instance` and
 * `shared/validate`, `IsAPIName`).
 */
export const Name = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9](?:[^\s$?&+"'`*/\\#%\p{C}]*[A-Za-z0-9])?$/u, 'is not a valid name')
