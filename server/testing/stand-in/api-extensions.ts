/** The extensions a console tests for, in the order Incus lists them; the real lists are longer. */
const SINCE_6_0 = [
  'etag', 'patch', 'certificate_update', 'container_exec_recording', 'id_map', 'image_types', 'event_lifecycle',
  'resources', 'clustering', 'clustering_roles', 'projects', 'container_full', 'resources_v2', 'api_filtering',
  'clustering_failure_domains', 'server_trusted_proxy', 'clustering_update_cert', 
  'certificate_token', 'clustering_join_token', 'clustering_description', 'server_supported_storage_drivers',
  'warnings', 'clustering_config', 'clustering_evacuation', 'auth_user', 'instance_all_projects', 'clustering_groups',
  'event_location', 'event_hub', 'cluster_member_state', 'event_project', 'clustering_evacuation_mode', 'metadata_configuration',
  'oidc', 'cluster_healing', 'acme', 'acme_dns01', 'acme_http01_port', 'operation_wait', 'certificate_description', 'auth_tls_jwt', 'oidc_claim', 
  'instances_state_total', 'authorization_scriptlet', 'cluster_rebalance', 'event_lifecycle_requestor_address', 'api_filtering_extended',
  'clustering_evacuation_live', 'instance_create_start', 'project_access', 'instance_access',
] // prettier-ignore

const SINCE_7_0 = [
  'server_logging', 'server_logging_webhook', 'cluster_evacuating_restoring', 'cluster_group_usedby', 'storage_volume_full',
  'oidc_allowed_subnets', 'authorization_scriptlet_cert', 'oidc_scopes', 'clustering_groups_config', 'server_shutdown_action',
  'core_https_allowed_websocket_origin', 'api_fragments', 'authorization_config', 'authorization_client_routing', 'acme_eab',
] // prettier-ignore

export function extensionsOf(seven: boolean): string[] {
  return seven ? [...SINCE_6_0, ...SINCE_7_0] : [...SINCE_6_0]
}
