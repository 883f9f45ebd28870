import { searchMigrations } from './search-migrations.ts'

/**
 * The tables of all databases, as data. `malleus.db` holds what the console needs to go on; `audit.db` is the access
 * history and nothing else, in a file of its own; `search.db` is made from it.
 *
 * To add a table: append a migration at the END of the list, never change one that has been released. Its name begins
 * with the number of its position; its statements run in one transaction, once per file. Then describe the rows in an
 * interface beside the store that reads them, and ask for it with `database.tables<MyTables>()`.
 *
 * Columns hold what SQLite has: text, integer (milliseconds since 1970 for instants, 0 and 1 for no and yes), real,
 * blob. `strict` makes it check them (https://sqlite.org/stricttables.html).
 */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

export type DatabaseName = 'malleus' | 'audit' | 'search'

const malleus: readonly Migration[] = [
  {
    name: '001 sessions',
    statements: [
      // The key is SHA-256 of the id in the cookie, the payload is sealed with a key that needs the cookie's secret,
      // and identity and provider session are HMACs: the file alone says neither who is signed in nor opens anything.
      `create table session (
        key blob primary key,
        identity blob not null,
        provider_session blob,
        sealed blob not null,
        version integer not null,
        refresh_started_at integer,
        created_at integer not null,
        active_at integer not null,
        expires_at integer not null
      ) strict, without rowid`,
      'create index session_identity on session (identity, created_at)',
      'create index session_provider_session on session (provider_session)',
      // Why a session is no longer there, for the page that still shows it.
      `create table session_end (
        key blob primary key,
        kind text not null,
        at integer not null
      ) strict, without rowid`,
      'create index session_end_at on session_end (at)',
      // What the provider's tokens were used for once and must not be used for again.
      `create table used_token (
        key blob primary key,
        expires_at integer not null
      ) strict, without rowid`,
      'create index used_token_expires_at on used_token (expires_at)',
    ],
  },
  {
    name: '002 idempotency',
    statements: [
      `create table idempotency_key (
        person blob not null,
        key text not null,
        request blob not null,
        state text not null check (state in ('running', 'done', 'unknown')),
        owner text not null,
        response text,
        created_at integer not null,
        primary key (person, key)
      ) strict, without rowid`,
      'create index idempotency_key_created_at on idempotency_key (created_at)',
    ],
  },
  {
    name: '003 health history',
    statements: [
      // The worst standing of a member in each piece of 40 minutes, counted from 1970.
      `create table health_piece (
        cluster text not null,
        member text not null,
        piece integer not null,
        standing text not null,
        primary key (cluster, member, piece)
      ) strict, without rowid`,
    ],
  },
  {
    name: '004 pins',
    statements: [
      // Pins that the console followed by itself. They win until the configured ones are others than they were then.
      `create table cluster_pin (
        cluster text primary key,
        configured text not null,
        pins text not null,
        changed_at integer not null
      ) strict, without rowid`,
    ],
  },
  {
    name: '005 health record',
    statements: [
      // What the probes of a member showed in each piece of time; `piece_ms` is how long a piece is. How `measured` is
      // written stands at members/probe-piece.ts.
      `create table probe_piece (
        cluster text not null,
        piece_ms integer not null,
        member text not null,
        at integer not null,
        measured blob not null,
        primary key (cluster, piece_ms, member, at)
      ) strict, without rowid`,
      // Every change of what is believed or said of a member. `number` tells apart what happened in one millisecond.
      `create table member_change (
        cluster text not null,
        member text not null,
        at integer not null,
        number integer not null,
        change text not null,
        primary key (cluster, member, at, number)
      ) strict, without rowid`,
    ],
  },
  {
    name: '006 incidents',
    statements: [
      `create table incident (
        cluster text not null,
        id text not null,
        member text not null,
        began_at integer not null,
        ended_at integer,
        incident text not null,
        primary key (cluster, id)
      ) strict, without rowid`,
      'create index incident_began_at on incident (cluster, began_at)',
      'create index incident_ended_at on incident (cluster, ended_at)',
      // When the console watched: one row for each time it ran. Between two rows nobody did.
      `create table watched_time (
        cluster text not null,
        began_at integer not null,
        seen_at integer not null,
        primary key (cluster, began_at)
      ) strict, without rowid`,
    ],
  },
  {
    name: '007 operations',
    statements: [
      // Background work of clusters, as Incus told it last: it forgets an operation five seconds after its end. `shown`
      // is the row of the list, `told` what Incus said with all secrets taken out, `begun` what the history is to say of
      // who began it here. `revision` counts up with every change within a cluster.
      `create table operation (
        cluster text not null,
        id text not null,
        project text,
        status text not null,
        finished integer not null,
        heard_at integer not null,
        shown text not null,
        told text,
        begun text,
        revision integer not null,
        primary key (cluster, id)
      ) strict, without rowid`,
      'create index operation_heard_at on operation (cluster, finished, heard_at)',
      // By which authority it was seen: `authority` is an HMAC. To any other it does not exist.
      `create table operation_sight (
        cluster text not null,
        authority blob not null,
        id text not null,
        revision integer not null,
        primary key (cluster, authority, id)
      ) strict, without rowid`,
      'create index operation_sight_id on operation_sight (cluster, id)',
    ],
  },
  {
    name: '008 kept members',
    statements: [
      // What each cluster last said of its members, for a console that is started while its database does not answer.
      `create table kept_members (
        cluster text primary key,
        trusted text not null,
        members text not null,
        at integer not null
      ) strict, without rowid`,
    ],
  },
  {
    name: '009 ingest',
    statements: [
      // When each stream of a cluster that the history is fed from was heard: one row for each stream. `began_at` is when
      // it was first heard at all.
      `create table ingest_stream (
        cluster text not null,
        stream text not null,
        began_at integer not null,
        seen_at integer not null,
        primary key (cluster, stream)
      ) strict, without rowid`,
      `create table ingest_gap (
        cluster text not null,
        stream text not null,
        from_at integer not null,
        to_at integer not null,
        reason text not null,
        primary key (cluster, stream, from_at)
      ) strict, without rowid`,
      // When each identity last asked a member for something, from where.
      `create table identity_use (
        cluster text not null,
        protocol text not null,
        identity text not null,
        at integer not null,
        address text,
        member text not null,
        primary key (cluster, protocol, identity)
      ) strict, without rowid`,
    ],
  },
  {
    name: '010 certificates',
    statements: [
      // Replacements of cluster certificates, each with what every server presented; never with a private key.
      `create table certificate_replacement (
        cluster text not null,
        id text not null,
        started_at integer not null,
        ended integer not null,
        replacement text not null,
        primary key (cluster, id)
      ) strict, without rowid`,
      'create index certificate_replacement_started_at on certificate_replacement (cluster, started_at)',
      // Which certificate a cluster had from when on, and which servers did not answer then.
      `create table certificate_change (
        cluster text not null,
        at integer not null,
        fingerprint text not null,
        change text not null,
        primary key (cluster, at)
      ) strict, without rowid`,
      // Private keys that wait for their certificate, sealed under the server key and bound to their row.
      `create table prepared_key (
        cluster text not null,
        id text not null,
        made_at integer not null,
        prepared text not null,
        sealed blob not null,
        primary key (cluster, id)
      ) strict, without rowid`,
    ],
  },
  {
    name: '011 trust tokens',
    statements: [
      // Tokens that were made through this console: who made them, and when it promised to withdraw them.
      `create table trust_token (
        cluster text not null,
        operation text not null,
        name text not null,
        member text,
        made_by text not null,
        made_at integer not null,
        withdraw_at integer,
        primary key (cluster, operation)
      ) strict, without rowid`,
      // The console's own identity where it is another one than the configuration says, and how far its rotation is
      // (trust/rotation.ts). Keys are sealed. `configured` is the fingerprint of the configured certificate: another one
      // there wins.
      `create table console_identity (
        cluster text primary key,
        configured text not null,
        stage text not null,
        certificate text,
        sealed_key blob,
        next_certificate text,
        next_sealed_key blob,
        leaving text,
        changed_at integer not null
      ) strict, without rowid`,
    ],
  },
  {
    name: '012 access paths',
    statements: [
      // What incidents of servers did to new clients of each access path.
      `create table path_incident (
        cluster text not null,
        path text not null,
        incident text not null,
        began_at integer not null,
        detail text not null,
        primary key (cluster, path, incident)
      ) strict, without rowid`,
      'create index path_incident_began_at on path_incident (cluster, began_at)',
    ],
  },
  {
    name: '013 acme orders',
    statements: [
      // The latest order of a certificate that was asked for here (acme/acme-orders.ts): followed to its end also by a
      // console that starts anew. No secret of the settings is in it.
      `create table acme_order (
        cluster text primary key,
        kept text not null
      ) strict, without rowid`,
    ],
  },
  {
    name: '014 certificate alerts',
    statements: [
      // Which ends of certificates were told, at which number of days, and which sinks have it (alerts/expiry.ts).
      `create table certificate_alert (
        key text not null,
        threshold integer not null,
        source text not null,
        certificate text not null,
        raised_at integer not null,
        primary key (key, threshold)
      ) strict, without rowid`,
      `create table certificate_alert_taken (
        key text not null,
        threshold integer not null,
        sink text not null,
        primary key (key, threshold, sink)
      ) strict, without rowid`,
    ],
  },
  {
    name: '015 session notes',
    statements: [
      // Whose a session is and where it was begun, for the lists of them. Sealed with the server key.
      `create table session_note (
        key blob primary key,
        sealed blob not null
      ) strict, without rowid`,
    ],
  },
]

/** Pruning, which leaves a signed tombstone, takes it away and puts it back within its transaction. */
export const recordIsNotRemoved = `create trigger record_is_not_removed before delete on record begin
        select raise(abort, 'records are never removed');
      end`

const audit: readonly Migration[] = [
  {
    name: '001 records',
    statements: [
      // The record itself is the canonical text; the columns beside it are read from it when it is written, for
      // questions, and are checked against it by the verification.
      `create table record (
        position integer primary key autoincrement,
        chain text not null,
        seq integer not null,
        hash text not null,
        prev text not null,
        at integer not null,
        cluster text,
        object text,
        quiet integer not null,
        text text not null,
        unique (chain, seq)
      ) strict`,
      'create index record_cluster on record (cluster, quiet, position)',
      'create index record_quiet on record (quiet, position)',
      'create index record_object on record (object, position)',
      `create trigger record_is_not_changed before update on record begin
        select raise(abort, 'records are never changed');
      end`,
      recordIsNotRemoved,
    ],
  },
  {
    name: '002 attestations',
    statements: [
      // What the console says of the history under its signature (audit/attestation.ts): one line each, never changed.
      `create table attestation (
        number integer primary key,
        text text not null
      ) strict`,
      `create trigger attestation_is_not_changed before update on attestation begin
        select raise(abort, 'attestations are never changed');
      end`,
      `create trigger attestation_is_not_removed before delete on attestation begin
        select raise(abort, 'attestations are never removed');
      end`,
      // How far each sink has got: the last attestation and the last record that it took.
      `create table sink_place (
        sink text primary key,
        attestation integer not null,
        position integer not null
      ) strict, without rowid`,
    ],
  },
  {
    name: '003 compact records',
    statements: [
      // The same records in a third of the room: chains by number, hashes as bytes, the text packed (audit/packed-text.ts;
      // what was written before stays as it was and is read as it is). The indexes are gone: search.db has better ones.
      `create table chain (
        id integer primary key,
        name text not null unique
      ) strict`,
      'insert into chain (name) select chain from record group by chain order by min(position)',
      'alter table record rename to record_as_text',
      `create table record (
        position integer primary key autoincrement,
        chain integer not null,
        seq integer not null,
        hash blob not null,
        prev blob not null,
        at integer not null,
        cluster text,
        object text,
        quiet integer not null,
        text text not null,
        unique (chain, seq)
      ) strict`,
      `insert into record
        select position, (select id from chain where name = record_as_text.chain), seq,
          coalesce(unhex(hash), cast(hash as blob)), coalesce(unhex(prev), cast(prev as blob)),
          at, cluster, object, quiet, text
        from record_as_text order by position`,
      'drop table record_as_text',
      `create trigger record_is_not_changed before update on record begin
        select raise(abort, 'records are never changed');
      end`,
      recordIsNotRemoved,
    ],
  },
]

export const migrations: Readonly<Record<DatabaseName, readonly Migration[]>> = {
  malleus,
  audit,
  search: searchMigrations,
}
