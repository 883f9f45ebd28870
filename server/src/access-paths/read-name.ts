import { IncusServer } from '@malleus/shared/incus/server.ts'
import { z } from 'zod'

const Reply = z.object({ metadata: IncusServer })

/** Who a server says it is, and whether it knows the one who asked; null where it does not say. */
export function readName(body: Buffer): { readonly server: string | null; readonly trusted: boolean | null } {
  try {
    const { metadata } = Reply.parse(JSON.parse(body.toString('utf8')))
    return { server: metadata.environment?.server_name ?? null, trusted: metadata.auth === 'trusted' }
  } catch {
    return { server: null, trusted: null }
  }
}
