// The role of one of asrnet's tasks in a resource group, and the identity's assignment to it.
// The actions are those of "asrnet permissions --for TASK": a test compares them.

@description('The object id of the identity.')
param principalId string

@allowed(['plan', 'apply', 'create-networks'])
param task string

var actions = {
  plan: [
    'Microsoft.Authorization/permissions/read'
    'Microsoft.Network/virtualNetworks/read'
    'Microsoft.RecoveryServices/vaults/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read'
    'Microsoft.RecoveryServices/vaults/replicationJobs/read'
    'Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read'
    'Microsoft.RecoveryServices/vaults/replicationProtectedItems/read'
  ]
  apply: [
    'Microsoft.Authorization/permissions/read'
    'Microsoft.Network/virtualNetworks/read'
    'Microsoft.RecoveryServices/vaults/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/operationresults/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/delete'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/write'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/read'
    'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read'
    'Microsoft.RecoveryServices/vaults/replicationJobs/operationresults/read'
    'Microsoft.RecoveryServices/vaults/replicationJobs/read'
    'Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read'
    'Microsoft.RecoveryServices/vaults/replicationOperationStatus/read'
    'Microsoft.RecoveryServices/vaults/replicationProtectedItems/read'
  ]
  'create-networks': [
    'Microsoft.Authorization/permissions/read'
    'Microsoft.Network/locations/operations/read'
    'Microsoft.Network/virtualNetworks/read'
    'Microsoft.Network/virtualNetworks/subnets/write'
    'Microsoft.Network/virtualNetworks/write'
  ]
}

resource definition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'asrnet', task)
  properties: {
    roleName: 'asrnet ${task} (${resourceGroup().name}, ${uniqueString(resourceGroup().id)})'
    description: 'The rights that asrnet needs for ${task}.'
    type: 'CustomRole'
    permissions: [
      {
        actions: actions[task]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, 'asrnet', task, principalId)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', definition.name)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
