/** What the page of a path is called, in the breadcrumb and in the window's title. */
export function sectionOf(path: string): string {
  const [, , , section] = path.split('/')
  if (section === 'members') return 'Servers'
  if (section === 'access-paths') return 'Access paths'
  if (section === 'instances') return 'Instances'
  if (section === 'trust') return 'Trust'
  if (section === 'operations') return 'Operations'
  if (section === 'events') return 'Events'
  if (section === 'history') return 'Access history'
  if (section === 'sessions') return 'Sessions'
  if (section === 'incidents') return 'Incidents'
  return section === 'certificates' ? 'Certificates' : 'Overview'
}
