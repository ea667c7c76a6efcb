// Keeps a graph for as long as the instance lives.
let entities = [];
let relations = [];

const find = (name) => entities.find((entity) => entity.name === name);
const same = (a, b) =>
  a.fromEntity === b.fromEntity && a.toEntity === b.toEntity && a.relationType === b.relationType;

function existing(name) {
  const entity = find(name);
  if (entity === undefined) throw `there is no entity ${name}; create it first`;
  return entity;
}

/** Adds those that are not there yet, and gives them. */
function add(list, items, equal) {
  const before = list.length;
  for (const item of items) if (!list.some((old) => equal(old, item))) list.push(item);
  return list.slice(before);
}

/** Some of the entities, and the relations between them. */
function part(wanted) {
  const found = entities.filter(wanted);
  const has = (name) => found.some((entity) => entity.name === name);
  return { entities: found, relations: relations.filter((one) => has(one.fromEntity) && has(one.toEntity)) };
}

export const knowledgeGraphOps = {
  createEntities: (items) => add(entities, items, (a, b) => a.name === b.name),
  createRelations: (items) => add(relations, items, same),
  addObservations: (items) =>
    items.map(({ entityName, contents }) => ({
      entityName,
      addedObservations: add(existing(entityName).observations, contents, (a, b) => a === b),
    })),
  deleteEntities(names) {
    entities = entities.filter((entity) => !names.includes(entity.name));
    relations = relations.filter((one) => !names.includes(one.fromEntity) && !names.includes(one.toEntity));
  },
  deleteObservations(items) {
    for (const { entityName, observations } of items) {
      const entity = find(entityName);
      if (entity) entity.observations = entity.observations.filter((text) => !observations.includes(text));
    }
  },
  deleteRelations(items) {
    relations = relations.filter((one) => !items.some((item) => same(one, item)));
  },
  readGraph: () => ({ entities, relations }),
  searchNodes(query) {
    const has = (text) => text.toLowerCase().includes(query.toLowerCase());
    return part((entity) => has(entity.name) || has(entity.entityType) || entity.observations.some(has));
  },
  openNodes: (names) => part((entity) => names.includes(entity.name)),
};
