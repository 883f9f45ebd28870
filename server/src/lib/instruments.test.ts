import { describe, expect, it } from 'vitest'
import { counter, gauge, histogram, Instruments } from './instruments.ts'

const linesOf = async (instruments: Instruments) => (await instruments.text()).trimEnd().split('\n')

describe('instruments', () => {
  it('tell what each metric is and what it counted, by its labels', async () => {
    const instruments = new Instruments()
    const requests = instruments.counter(counter('requests_total', 'Requests.', ['method', 'status']))
    requests.add(['GET', '200'])
    requests.add(['GET', '200'], 2)
    requests.add(['POST', '503'])
    expect(await linesOf(instruments)).toEqual([
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{method="GET",status="200"} 3',
      'requests_total{method="POST",status="503"} 1',
    ])
  })

  it('show a counter without labels from the start, and one with labels once zero was added', async () => {
    const instruments = new Instruments()
    instruments.counter(counter('alone_total', 'Alone.', []))
    instruments.counter(counter('gaps_total', 'Gaps.', ['cluster'])).add(['prod'], 0)
    const lines = await linesOf(instruments)
    expect(lines).toContain('alone_total 0')
    expect(lines).toContain('gaps_total{cluster="prod"} 0')
  })

  it('sort what was measured into cumulative buckets, whose upper ends are included', async () => {
    const instruments = new Instruments()
    const seconds = instruments.histogram(histogram('took_seconds', 'Took.', ['class'], [0.01, 0.1, 1]))
    for (const value of [0.01, 0.011, 0.5, 7]) seconds.observe(['read'], value)
    expect((await linesOf(instruments)).slice(2)).toEqual([
      'took_seconds_bucket{class="read",le="0.01"} 1',
      'took_seconds_bucket{class="read",le="0.1"} 2',
      'took_seconds_bucket{class="read",le="1"} 3',
      'took_seconds_bucket{class="read",le="+Inf"} 4',
      'took_seconds_sum{class="read"} 7.521',
      'took_seconds_count{class="read"} 4',
    ])
  })

  it('of a histogram without labels have only the bucket as one', async () => {
    const instruments = new Instruments()
    instruments.histogram(histogram('took_seconds', 'Took.', [], [1])).observe([], 2)
    expect(await linesOf(instruments)).toContain('took_seconds_bucket{le="1"} 0')
    expect(await linesOf(instruments)).toContain('took_seconds_count 1')
  })

  it('read a gauge when somebody asks', async () => {
    const instruments = new Instruments()
    let value = 1
    instruments.read(gauge('open', 'Open.', []), () => [{ labels: [], value }])
    value = 3
    expect(await linesOf(instruments)).toContain('open 3')
  })

  it('tell the others when one cannot be read', async () => {
    const failed: string[] = []
    const instruments = new Instruments((name) => failed.push(name))
    instruments.read(gauge('broken', 'Broken.', []), () => {
      throw new Error('gone')
    })
    instruments.read(gauge('open', 'Open.', []), () => [{ labels: [], value: 1 }])
    expect(await linesOf(instruments)).toContain('open 1')
    expect(failed).toEqual(['broken'])
  })

  it('write names so that they stay one label, and every number as Prometheus reads it', async () => {
    const instruments = new Instruments()
    const labels = ['name'] as const
    instruments.read(gauge('values', 'A\nB \\', labels), () => [
      { labels: ['a"b\\c\nd'], value: Infinity },
      { labels: ['nan'], value: NaN },
      { labels: ['less'], value: -Infinity },
    ])
    expect(await linesOf(instruments)).toEqual([
      '# HELP values A\\nB \\\\',
      '# TYPE values gauge',
      'values{name="a\\"b\\\\c\\nd"} +Inf',
      'values{name="nan"} NaN',
      'values{name="less"} -Inf',
    ])
  })

  it('keep values apart whose labels read alike when they are put together', async () => {
    const instruments = new Instruments()
    const pairs = instruments.counter(counter('pairs_total', 'Pairs.', ['a', 'b']))
    pairs.add(['x', 'yz'])
    pairs.add(['xy', 'z'])
    expect(await linesOf(instruments)).toHaveLength(4)
  })

  it('forget what has left, in every metric that tells of it and nowhere else', async () => {
    const instruments = new Instruments()
    const attempts = instruments.counter(counter('attempts_total', 'Attempts.', ['cluster', 'member']))
    const seconds = instruments.histogram(histogram('took_seconds', 'Took.', ['member', 'cluster'], [1]))
    const clusters = instruments.counter(counter('clusters_total', 'Clusters.', ['cluster']))
    for (const cluster of ['prod', 'lab']) {
      clusters.add([cluster])
      attempts.add([cluster, 'server1'])
      seconds.observe(['server1', cluster], 0.5)
    }
    instruments.forget({ cluster: 'prod', member: 'server1' })
    const lines = (await linesOf(instruments)).filter((line) => !line.startsWith('#'))
    expect(lines.filter((line) => line.includes('prod'))).toEqual(['clusters_total{cluster="prod"} 1'])
    expect(lines.filter((line) => line.includes('lab'))).toHaveLength(6)
  })

  it('have each name once', () => {
    const instruments = new Instruments()
    instruments.counter(counter('requests_total', 'Requests.', []))
    expect(() => instruments.counter(counter('requests_total', 'Requests.', []))).toThrow('requests_total')
  })

  it('let others work while much is written', async () => {
    const instruments = new Instruments()
    const many = instruments.counter(counter('many_total', 'Many.', ['member']))
    for (let n = 0; n < 1_000; n += 1) many.add([`server${n}`])
    let turns = 0
    let written = false
    const turn = (): void => {
      turns += 1
      if (!written) setImmediate(turn)
    }
    setImmediate(turn)
    await instruments.text()
    written = true
    expect(turns).toBeGreaterThanOrEqual(3)
  })
})
