// Creates, reads, lists, updates and deletes a mapping; prints what it saw as one JSON object.
// Arguments: endpoint, subscription, resource group, vault, fabric, primary network, recovery fabric, two recovery networks.
import { SiteRecoveryManagementClient } from "@azure/arm-recoveryservices-siterecovery";

const [endpoint, subscription, group, vault, fabric, primary, recoveryFabric, first, second] = process.argv.slice(2);
const credential = { getToken: async () => ({ token: "any", expiresOnTimestamp: Date.now() + 3600_000 }) };
const client = new SiteRecoveryManagementClient(credential, subscription, { endpoint });
const mappings = client.replicationNetworkMappings;
const where = [vault, group, fabric, "azureNetwork"];
const poll = { updateIntervalInMs: 50 };

function wanted(recovery) {
  const fabricSpecificDetails = { instanceType: "AzureToAzure", primaryNetworkId: primary };
  return { properties: { recoveryFabricName: recoveryFabric, recoveryNetworkId: recovery, fabricSpecificDetails } };
}

async function names(pages) {
  const found = [];
  for await (const mapping of pages) found.push(mapping.name);
  return found;
}

async function missing() {
  try {
    await mappings.get(...where, "from-node");
    return null;
  } catch (error) {
    return [error.statusCode, error.code];
  }
}

const saw = { before: await missing() };
const created = await mappings.beginCreateAndWait(...where, "from-node", wanted(first), poll);
saw.created = [created.name, created.properties.state, created.properties.fabricSpecificSettings.instanceType];
saw.listed = await names(mappings.list(vault, group));
saw.listedByNetwork = await names(mappings.listByReplicationNetworks(...where));
const updated = await mappings.beginUpdateAndWait(...where, "from-node", wanted(second), poll);
saw.updated = updated.properties.recoveryNetworkFriendlyName;
saw.read = (await mappings.get(...where, "from-node")).properties.recoveryNetworkFriendlyName;
await mappings.beginDeleteAndWait(...where, "from-node", poll);
saw.after = await missing();
console.log(JSON.stringify(saw));
