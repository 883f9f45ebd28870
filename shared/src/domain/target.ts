/** Where the operator wants requests to enter: through any responsive member, one member, or a group's members. */
export type Target =
  | { readonly kind: 'any' }
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'group'; readonly name: string }

export const anyMember: Target = { kind: 'any' }

/** A target as it stands in a URL: nothing for any member, `server3`, or `@edge` for a group, as Incus writes them. */
export function formatTarget(target: Target): string | undefined {
  switch (target.kind) {
    case 'any':
      return undefined
    case 'member':
      return target.name
    case 'group':
      return `@${target.name}`
  }
}

/** Reads a target from a URL. Never throws: what is not a name means any member. */
export function parseTarget(text: string | undefined): Target {
  if (text === undefined || text === '' || text === '@') return anyMember
  return text.startsWith('@') ? { kind: 'group', name: text.slice(1) } : { kind: 'member', name: text }
}
