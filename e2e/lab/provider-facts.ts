import { z } from 'zod'

/** What members and consoles need to know of an identity provider. */
export const ProviderFacts = z.object({
  issuer: z.string(),
  /** What Incus wants to find in `aud`. */
  audience: z.string(),
  /** The public client of the incus command line and of Incus itself. */
  clientId: z.string(),
  /** PEM of the authority that signed the provider's certificate. Absent for a provider on plain HTTP. */
  ca: z.string().exactOptional(),
  /** The confidential client of the console. Absent for a provider the lab did not start. */
  console: z.object({ clientId: z.string(), clientSecret: z.string() }).exactOptional(),
})
export type ProviderFacts = z.infer<typeof ProviderFacts>
