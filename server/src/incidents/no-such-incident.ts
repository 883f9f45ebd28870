/** There is none with that id in this cluster, or no longer. The message is for people. */
export class NoSuchIncident extends Error {
  override readonly name = 'NoSuchIncident'
  readonly code = 'not_found'

  constructor() {
    super('There is no such incident. Incidents are kept for 400 days.')
  }
}
