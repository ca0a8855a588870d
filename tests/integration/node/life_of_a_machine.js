// Protects a machine, tests it, fails it over by a recovery plan and re-protects it; prints what it saw as one JSON object.
// Arguments: endpoint, subscription, resource group, vault, machine, test network.
import { SiteRecoveryManagementClient } from "@azure/arm-recoveryservices-siterecovery";

const [endpoint, subscription, group, vault, machine, testNetwork] = process.argv.slice(2);
const credential = { getToken: async () => ({ token: "any", expiresOnTimestamp: Date.now() + 3600_000 }) };
const client = new SiteRecoveryManagementClient(credential, subscription, { endpoint });
const poll = { updateIntervalInMs: 50 };
const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.RecoveryServices/vaults/${vault}`;
const place = (side) => `${id}/replicationFabrics/${side}/replicationProtectionContainers/${side}-container`;
const A2A = { instanceType: "A2A" };
const items = client.replicationProtectedItems;
const where = [vault, group, "East", "East-container", "vm1"];

async function all(pages) {
  const found = [];
  for await (const entry of pages) found.push(entry);
  return found;
}

const saw = {};
const settings = { properties: { providerSpecificInput: { ...A2A, multiVmSyncStatus: "Enable" } } };
const policy = await client.replicationPolicies.beginCreateAndWait(vault, group, "daily", settings, poll);
saw.policy = policy.properties.providerSpecificDetails.multiVmSyncStatus;
const details = { ...A2A, fabricObjectId: machine, recoveryContainerId: place("West") };
const enable = { properties: { policyId: policy.id, providerSpecificDetails: details } };
const item = await items.beginCreateAndWait(...where, enable, poll);
saw.item = [item.properties.protectionState, item.properties.providerSpecificDetails.vmNics.length];
const points = await all(client.recoveryPoints.listByReplicationProtectedItems(...where));
saw.points = points.map((point) => point.properties.recoveryPointTime instanceof Date);
const test = { properties: { networkType: "VmNetworkAsInput", networkId: testNetwork, providerSpecificDetails: A2A } };
saw.test = (await items.beginTestFailoverAndWait(...where, test, poll)).properties.testFailoverState;
await items.beginTestFailoverCleanupAndWait(...where, { properties: { comments: "fine" } }, poll);
const plans = client.replicationRecoveryPlans;
const groups = [{ groupType: "Boot", replicationProtectedItems: [{ id: item.id }] }];
const fabrics = { primaryFabricId: `${id}/replicationFabrics/East`, recoveryFabricId: `${id}/replicationFabrics/West` };
await plans.beginCreateAndWait(vault, group, "all", { properties: { ...fabrics, groups } }, poll);
const failover = { properties: { failoverDirection: "PrimaryToRecovery", sourceSiteOperations: "NotRequired" } };
await plans.beginUnplannedFailoverAndWait(vault, group, "all", failover, poll);
await plans.beginFailoverCommitAndWait(vault, group, "all", poll);
const back = { ...A2A, recoveryContainerId: place("East") };
const turn = { properties: { replicationProtectedItemName: "vm1", providerSpecificDetails: back } };
await client.replicationProtectionContainers.beginSwitchProtectionAndWait(vault, group, "East", "East-container", turn, poll);
const moved = await items.get(vault, group, "West", "West-container", "vm1");
saw.moved = [moved.properties.activeLocation, moved.properties.providerSpecificDetails.primaryFabricLocation];
const plan = await plans.get(vault, group, "all");
saw.plan = [plan.properties.primaryFabricFriendlyName, plan.properties.groups.map((group) => group.groupType)];
saw.events = (await all(client.replicationEvents.list(vault, group))).map((event) => event.properties.eventCode);
saw.health = (await client.replicationVaultHealth.get(vault, group)).properties.protectedItemsHealth.resourceCount;
saw.providers = (await all(client.replicationRecoveryServicesProviders.list(vault, group))).length;
console.log(JSON.stringify(saw));
