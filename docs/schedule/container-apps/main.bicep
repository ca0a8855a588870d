// asrnet as scheduled jobs of Azure Container Apps, with a managed identity and no credential anywhere.
//
//   az deployment group create --resource-group rg-asrnet --template-file main.bicep --parameters main.bicepparam
//
// asrnet.yaml is beside this file and is deployed with it: deploy again to change it.

@description('The name of the jobs and the identity.')
@minLength(2)
@maxLength(24)
param name string = 'asrnet'

@description('The region of the jobs. Not the one that fails over: the jobs must run when it is down.')
param location string = resourceGroup().location

@description('The Container Apps environment that the jobs run in.')
param environmentId string

@description('The image with asrnet: docker build --target asrnet.')
param image string

@description('The host of the registry that the image is pulled from as the identity, which needs AcrPull there. Empty if it needs no sign-in.')
param registry string = ''

@description('When the jobs run: minute, hour, day, month, weekday, in UTC.')
param schedule string = '17 2 * * *'

@description('Correct what may be corrected. Without it the jobs only read, and the identity can change nothing.')
param correct bool = false

@description('How many jobs share the vaults; each has its own part.')
@minValue(1)
@maxValue(50)
param shards int = 1

@description('Where the vaults and their networks are: the resource groups that "asrnet permissions" lists as scopes.')
param scopes place[]

@description('Resource groups in which copies of networks are created, if asrnet.yaml declares copies.')
param createNetworksIn place[] = []

type place = {
  subscriptionId: string
  resourceGroup: string
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

// One role definition and assignment in each resource group: a role cannot be assigned beyond its own scopes.
module access 'role.bicep' = [
  for where in scopes: {
    name: '${name}-${uniqueString(where.subscriptionId, where.resourceGroup)}'
    scope: resourceGroup(where.subscriptionId, where.resourceGroup)
    params: {
      principalId: identity.properties.principalId
      task: correct ? 'apply' : 'plan'
    }
  }
]

module networkAccess 'role.bicep' = [
  for where in createNetworksIn: if (correct) {
    name: '${name}-networks-${uniqueString(where.subscriptionId, where.resourceGroup)}'
    scope: resourceGroup(where.subscriptionId, where.resourceGroup)
    params: {
      principalId: identity.properties.principalId
      task: 'create-networks'
    }
  }
]

resource jobs 'Microsoft.App/jobs@2024-03-01' = [
  for shard in range(1, shards): {
    name: shards == 1 ? name : '${name}-${shard}'
    location: location
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: {
        '${identity.id}': {}
      }
    }
    properties: {
      environmentId: environmentId
      configuration: {
        triggerType: 'Schedule'
        scheduleTriggerConfig: {
          cronExpression: schedule
          parallelism: 1
          replicaCompletionCount: 1
        }
        replicaTimeout: 3600
        // Every exit code but 0 is a failure here, including remaining drift, which a retry would not change.
        replicaRetryLimit: 0
        registries: empty(registry) ? [] : [
          {
            server: registry
            identity: identity.id
          }
        ]
        // Not a secret, but the way to mount files in Container Apps. It holds no credentials.
        secrets: [
          {
            name: 'desired-state'
            value: loadTextContent('asrnet.yaml')
          }
        ]
      }
      template: {
        containers: [
          {
            name: 'asrnet'
            image: image
            args: correct
              ? ['drift', '--correct', '-o', 'text', '--audit', '/dev/stderr']
              : ['drift', '-o', 'text']
            env: [
              { name: 'ASRNET_FILE', value: '/etc/asrnet/asrnet.yaml' }
              { name: 'ASRNET_SHARD', value: '${shard}/${shards}' }
              { name: 'ASRNET_CREDENTIAL', value: 'managed_identity' }
              { name: 'ASRNET_LOG_FORMAT', value: 'json' }
              { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            ]
            resources: {
              cpu: json('0.5')
              memory: '1Gi'
            }
            volumeMounts: [
              {
                volumeName: 'desired-state'
                mountPath: '/etc/asrnet'
              }
            ]
          }
        ]
        volumes: [
          {
            name: 'desired-state'
            storageType: 'Secret'
            secrets: [
              {
                secretRef: 'desired-state'
                path: 'asrnet.yaml'
              }
            ]
          }
        ]
      }
    }
    dependsOn: [
      access
      networkAccess
    ]
  }
]

@description('The identity, for other role assignments such as AcrPull.')
output principalId string = identity.properties.principalId
