/** What auditors look for first, as filters: ready made, so that nobody has to learn the language before. */
export interface ReadyView {
  readonly title: string
  readonly filter: string
  /** What is to be filled in, for a view that is about somebody or something. */
  readonly asks?: 'who' | 'to'
}

export const readyViews: readonly ReadyView[] = [
  { title: 'Everything', filter: '' },
  { title: 'Refused attempts', filter: 'result:refused' },
  { title: 'Certificate and trust changes', filter: 'view:trust' },
  { title: 'Administrators’ acts', filter: 'view:admin' },
  { title: 'Terminals opened', filter: 'view:terminals' },
  { title: 'Sign-ins from new addresses', filter: 'view:new-address' },
  { title: 'Activity outside the console', filter: 'view:outside' },
  { title: 'A person’s month…', filter: 'after:30d', asks: 'who' },
  { title: 'An object’s life…', filter: '', asks: 'to' },
]
