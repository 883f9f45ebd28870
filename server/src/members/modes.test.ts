import { describe, expect, test } from 'vitest'
import { supportedModes } from './modes.ts'

describe('the modes that can be offered', () => {
  test.each<[string, string[] | null, string[], string[]]>([
    ['nothing is known', null, [''], ['']],
    ['a server without modes', ['clustering'], [''], ['']],
    ['modes', ['clustering_evacuation_mode'], ['', 'auto', 'migrate', 'stop'], ['']],
    [
      '6.0.4',
      ['clustering_evacuation_mode', 'clustering_evacuation_live', 'clustering_evacuation_stop_options'],
      ['', 'auto', 'migrate', 'live-migrate', 'stop', 'stateful-stop', 'force-stop'],
      [''],
    ],
    ['6.0.6', ['cluster_evacuating_restoring'], [''], ['', 'skip']],
  ])('%s', (_, extensions, evacuate, restore) => {
    expect(supportedModes(extensions)).toEqual({ evacuate, restore })
  })
})
