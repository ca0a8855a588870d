// The required parameters. Everything else has a default in main.bicep.
using 'main.bicep'

param environmentId = '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-asrnet/providers/Microsoft.App/managedEnvironments/asrnet'
param image = 'registry.example/asrnet:0.2.0'
param registry = 'registry.example'
param correct = true
param scopes = [
  { subscriptionId: '11111111-1111-1111-1111-111111111111', resourceGroup: 'rg-network-ea' }
  { subscriptionId: '22222222-2222-2222-2222-222222222222', resourceGroup: 'rg-network-sea' }
  { subscriptionId: '22222222-2222-2222-2222-222222222222', resourceGroup: 'rg-dr' }
]
