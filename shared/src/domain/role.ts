import { z } from 'zod'

/** What a person may do, by role; each role is explained in the configuration reference. */
export const roles = ['viewer', 'operator', 'admin', 'auditor'] as const
export const Role = z.enum(roles)
export type Role = z.infer<typeof Role>
