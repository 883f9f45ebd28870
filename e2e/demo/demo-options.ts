import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly real: boolean
  readonly members: number
  /** Where the pages come from when they are served by something else, as in development. */
  readonly publicUrl: string | null
}

export const usage = `npm run demo [-- --real] [-- --members N]

Starts an identity provider, a cluster and the console on this machine. Ctrl-C ends it and leaves nothing behind.

  --real         a real Incus cluster in network namespaces (Linux, root); otherwise members of our own
  --members N    1 to 25 real members, 3 by default; 1 to 50 of our own, 5 by default
`

/** What was asked for, or a sentence that says what was not understood. `help` when that was asked for. */
export function parseDemoOptions(args: readonly string[]): DemoOptions | 'help' | { readonly mistake: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        real: { type: 'boolean', default: false },
        members: { type: 'string' },
        'public-url': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return 'help'
    const { real } = values
    const members = values.members === undefined ? (real ? 3 : 5) : Number(values.members)
    const most = real ? 25 : 50
    if (!Number.isInteger(members) || members < 1 || members > most) {
      return { mistake: `--members takes a whole number from 1 to ${most}.` }
    }
    return { real, members, publicUrl: values['public-url'] ?? null }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('.')[0] ?? '') : String(error)
    return { mistake: `${reason}.` }
  }
}
