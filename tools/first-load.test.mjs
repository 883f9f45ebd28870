import { describe, expect, test } from 'vitest'

import { filesOf } from './first-load.mjs'

const manifest = {
  'index.html': {
    file: 'assets/index.js',
    css: ['assets/index.css'],
    imports: ['_query.js'],
    dynamicImports: ['src/features/members/MembersPage.tsx', 'src/features/overview/OverviewPage.tsx'],
  },
  '_query.js': { file: 'assets/query.js' },
  '_table.js': { file: 'assets/table.js', imports: ['_query.js'] },
  'src/features/members/MembersPage.tsx': {
    file: 'assets/members.js',
    imports: ['index.html', '_table.js'],
    css: ['assets/members.css'],
  },
  'src/features/overview/OverviewPage.tsx': { file: 'assets/overview.js', imports: ['_table.js'] },
}

describe('the first load', () => {
  test('is the entry, the page and what either imports, once each', () => {
    expect(filesOf(manifest)).toEqual({
      scripts: ['assets/index.js', 'assets/query.js', 'assets/members.js', 'assets/table.js'],
      styles: ['assets/index.css', 'assets/members.css'],
    })
  })

  test('counts everything when the page is no chunk of its own', () => {
    const { 'src/features/members/MembersPage.tsx': page, ...rest } = manifest
    const renamed = { ...rest, '_pages.js': page }
    renamed['index.html'] = {
      ...manifest['index.html'],
      dynamicImports: ['_pages.js', 'src/features/overview/OverviewPage.tsx'],
    }
    expect(filesOf(renamed).scripts).toEqual(expect.arrayContaining(['assets/members.js', 'assets/overview.js']))
  })

  test('is what the entry imports when the page is in the first chunk', () => {
    const { 'src/features/members/MembersPage.tsx': page, ...rest } = manifest
    const merged = { ...rest, '_first.js': { ...page, file: 'assets/first.js', name: 'first' } }
    merged['index.html'] = {
      ...manifest['index.html'],
      imports: ['_first.js', '_query.js'],
      dynamicImports: ['src/features/overview/OverviewPage.tsx'],
    }
    expect(filesOf(merged)).toEqual({
      scripts: ['assets/index.js', 'assets/first.js', 'assets/table.js', 'assets/query.js'],
      styles: ['assets/index.css', 'assets/members.css'],
    })
  })

  test('is not guessed from a manifest without an entry', () => {
    expect(() => filesOf({})).toThrow('no index.html')
  })
})
