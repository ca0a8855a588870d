// Makes a network, a fabric and reads what is around mappings; prints what it saw as one JSON object.
// Arguments: endpoint, subscription, resource group, vault.
import { NetworkManagementClient } from "@azure/arm-network";
import { SiteRecoveryManagementClient } from "@azure/arm-recoveryservices-siterecovery";

const [endpoint, subscription, group, vault] = process.argv.slice(2);
const credential = { getToken: async () => ({ token: "any", expiresOnTimestamp: Date.now() + 3600_000 }) };
const networks = new NetworkManagementClient(credential, subscription, { endpoint }).virtualNetworks;
const site = new SiteRecoveryManagementClient(credential, subscription, { endpoint });
const poll = { updateIntervalInMs: 50 };

async function names(pages) {
  const found = [];
  for await (const each of pages) found.push(each.name);
  return found;
}

async function statusOf(call) {
  try {
    await call;
    return 200;
  } catch (error) {
    return error.statusCode;
  }
}

const saw = {};
const subnets = [{ name: "web", addressPrefix: "10.0.1.0/24" }];
const wanted = { location: "eastus", addressSpace: { addressPrefixes: ["10.0.0.0/16"] }, subnets };
const created = await networks.beginCreateOrUpdateAndWait(group, "made", wanted, poll);
saw.created = [created.name, created.provisioningState, created.subnets.map((subnet) => subnet.name)];
saw.tags = (await networks.updateTags(group, "made", { tags: { a: "b" } })).tags;
saw.listed = [await names(networks.list(group)), await names(networks.listAll())];
saw.address = (await networks.checkIPAddressAvailability(group, "made", "10.0.1.4")).available;
await networks.beginDeleteAndWait(group, "made", poll);
saw.deleted = await statusOf(networks.get(group, "made"));

const fabrics = site.replicationFabrics;
const details = { properties: { customDetails: { instanceType: "Azure", location: "eastus" } } };
const fabric = await fabrics.beginCreateAndWait(vault, group, "East", details, poll);
saw.fabric = [fabric.name, fabric.properties.friendlyName, fabric.properties.customDetails.location];
saw.fabrics = await names(fabrics.list(vault, group));
saw.jobs = [];
for await (const job of site.replicationJobs.list(vault, group)) saw.jobs.push(job.properties.state);
saw.items = [];
for await (const item of site.replicationProtectedItems.list(vault, group)) {
  saw.items.push([item.name, item.properties.providerSpecificDetails.vmNics.length]);
}
await fabrics.beginDeleteAndWait(vault, group, "East", poll);
saw.left = await names(fabrics.list(vault, group));
console.log(JSON.stringify(saw));
