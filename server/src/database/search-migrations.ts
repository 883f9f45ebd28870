import type { Migration } from './migrations.ts'

/**
 * The tables of `search.db`: what the access history is asked by. All of it is read from the records and can be made from
 * them again, so it is in a file of its own: asking never waits for writing nor writing for asking, the history stays a
 * file to which is only added, and a copy of it needs no more than the records.
 */
export const searchMigrations: readonly Migration[] = [
  {
    name: '001 search',
    statements: [
      // Each value that records say for a field, once. `value` is in lower case, `shown` as it was first said.
      `create table term (
        id integer primary key,
        field text not null,
        value text not null,
        shown text not null,
        records integer not null,
        unique (field, value)
      ) strict`,
      // Which records say it. A position is the one that the record has in the history.
      `create table posting (
        term integer not null,
        position integer not null,
        primary key (term, position)
      ) strict, without rowid`,
      // The first record of each minute, in minutes since 1970.
      `create table minute_start (
        minute integer primary key,
        position integer not null
      ) strict`,
      // How many records there are in each minute, hour and day (\`span\`, in minutes; \`at\`, in spans since 1970): of a
      // cluster or of none, of a view or of all, of those that are looked at only when asked for or of the others, by result.
      `create table tally (
        span integer not null,
        cluster text not null,
        view text not null,
        quiet integer not null,
        at integer not null,
        result text not null,
        records integer not null,
        primary key (span, cluster, view, quiet, at, result)
      ) strict, without rowid`,
      // Up to which record all this was made, and by which rules: other rules make it anew.
      `create table search_progress (
        id integer primary key check (id = 1),
        rules integer not null,
        position integer not null
      ) strict`,
    ],
  },
]
