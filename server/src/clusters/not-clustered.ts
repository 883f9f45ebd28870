/**
 * Whether an error is a standalone server's answer to a question about its cluster. The status is 500 or 400, depending
 * on the version, and only the text tells (incus `cmd/incusd/api_cluster.go`: "Server is not clustered").
 */
export function saysNotClustered(error: unknown): boolean {
  return error instanceof Error && /not clustered/i.test(error.message)
}
