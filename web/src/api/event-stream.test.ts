import { expect, test } from 'vitest'
import { EventStreamParser } from './event-stream.ts'

const text =
  ': hello\n\nevent: heartbeat\ndata: {"at":"x"}\n\nid: e-7\r\nevent: resync\r\ndata: {"a":1,\r\ndata: "b":2}\r\n\r\n'
const events = [
  { event: 'heartbeat', data: '{"at":"x"}', id: undefined },
  { event: 'resync', data: '{"a":1,\n"b":2}', id: 'e-7' },
]

test('events are read from one piece of text', () => {
  expect(new EventStreamParser().push(text)).toEqual(events)
})

test.each([1, 2, 3, 5, 17])('events are the same when the text comes %d characters at a time', (size) => {
  const parser = new EventStreamParser()
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
  expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(events)
})

test('an event that is not complete is not given', () => {
  const parser = new EventStreamParser()
  expect(parser.push('data: 1\n')).toEqual([])
  expect(parser.push('\n')).toEqual([{ event: 'message', data: '1', id: undefined }])
})

test('an id belongs to its own event, and an event without data is dropped', () => {
  const parser = new EventStreamParser()
  expect(parser.push('id: 3\n\ndata: a\n\n')).toEqual([{ event: 'message', data: 'a', id: undefined }])
})
