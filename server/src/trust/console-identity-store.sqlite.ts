import { z } from 'zod'
import type { Database } from '../database/database.ts'
import type { ConsoleIdentityStore, SealedIdentity } from './console-identity-store.ts'

interface Tables {
  console_identity: {
    cluster: string
    configured: string
    stage: string
    certificate: string | null
    sealed_key: Uint8Array | null
    next_certificate: string | null
    next_sealed_key: Uint8Array | null
    leaving: string | null
    changed_at: number
  }
}

const Stage = z.enum(['adding', 'removing', 'settled'])

/** Identities in `malleus.db`, table `console_identity`; their keys are sealed with the server key. */
export function sqliteConsoleIdentityStore(database: Database): ConsoleIdentityStore {
  const tables = database.tables<Tables>()
  return {
    read: async (cluster, configured) => {
      const row = await tables
        .selectFrom('console_identity')
        .selectAll()
        .where('cluster', '=', cluster)
        .where('configured', '=', configured)
        .executeTakeFirst()
      if (row === undefined) return null
      return {
        stage: Stage.parse(row.stage),
        current: sealed(row.certificate, row.sealed_key),
        next: sealed(row.next_certificate, row.next_sealed_key),
        leaving: row.leaving,
      }
    },
    write: async (cluster, configured, { stage, current, next, leaving }, at) => {
      const row = {
        configured,
        stage,
        certificate: current?.certificate ?? null,
        sealed_key: current?.sealedKey ?? null,
        next_certificate: next?.certificate ?? null,
        next_sealed_key: next?.sealedKey ?? null,
        leaving,
        changed_at: at,
      }
      await tables
        .insertInto('console_identity')
        .values({ cluster, ...row })
        .onConflict((conflict) => conflict.column('cluster').doUpdateSet(row))
        .execute()
    },
  }
}

function sealed(certificate: string | null, sealedKey: Uint8Array | null): SealedIdentity | null {
  return certificate === null || sealedKey === null ? null : { certificate, sealedKey }
}
