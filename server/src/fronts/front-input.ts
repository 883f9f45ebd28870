import type { Endpoint } from '../clusters/endpoint.ts'
import { DEFAULT_PORT } from '../clusters/endpoint.ts'
import type { FrontInput } from './front.ts'
import { toFillIn } from './front.ts'

interface Given {
  readonly address?: string | undefined
  readonly router?: string | undefined
}

/** The servers of a cluster as a front knows them; what was not given is left to be filled in. */
export function frontInput(
  cluster: string,
  members: readonly { readonly name: string; readonly endpoint: Endpoint }[],
  { address = toFillIn.address, router = toFillIn.router }: Given,
): FrontInput {
  return {
    cluster,
    members: members.map(({ name, endpoint }) => ({ name: nameOf(name), ...endpoint })),
    address,
    port: members[0]?.endpoint.port ?? DEFAULT_PORT,
    router,
  }
}

/** Before discovery a member is known by its address, which no program takes for a name. */
function nameOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9-]+/g, '-').replaceAll(/^-|-$/g, '')
}
