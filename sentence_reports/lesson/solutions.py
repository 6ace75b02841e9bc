"""Solutions of exercises, by a sentence of the set that they were written for; a report shows one only if it holds."""

ORDERS = (("They live to work", "They work to live"),)

PARAPHRASES = {
    "Berlin is the capital of Germany": "The German government has its seat on the river Spree",
    "It has been raining since early morning": "We woke up to a wet day and it is still pouring",
    "The cat is sleeping on the bed": "A kitten naps on the mattress",
    "Coffee": "A hot drink made from roasted beans",
    "The restaurant is open on Sundays": "You can dine there at the weekend",
    "Wait for two hours": "Come back in 120 minutes",
    "The kids were thrilled with their presents": "Gifts made all children very happy",
    "The new movie is awesome": "I love the film that just came out",
    "I must complain about my late train": "The railway owes me an apology for this delay",
    "This jam is made from strawberries": "Red berries and sugar were boiled for this spread",
    "The dog bites the man": "Her terrier sank its teeth into his leg",
}
# by the first sentence of the group or, without groups, by the sentence itself
NEIGHBORS = {
    "Fideua is a traditional dish, similar in style to paella but made with short "
    "spaghetti-like pasta.": "In Valencia, cooks fry thin noodles with seafood",
    "It has been raining since early morning": "A storm with hail is on its way",
    "The cat is sleeping on the bed": "Milk is cheap at the market",
    "Coffee": "Tea",
    "The restaurant is open on Sundays": "The café closes early on Saturday",
    "Wait for two hours": "The meeting takes half a day",
    "The kids were thrilled with their presents": "The boys and girls loved their new toys",
    "A woman watches TV": "She is looking at the television",
    "I must complain about my late train": "The bus has a delay of an hour",
    "This jam is made from strawberries": "A spoon of marmalade goes well with toast",
    "The dog bites the man": "A puppy barked at the postman",
}
# by the sentence that is rewritten
REWRITES = {
    "The cat is sleeping on the bed": "El gato está dormido en la cama",
    "After ten minutes the home team was two goals down. They scored three before the break, and when the final "
    "whistle blew, people who had never liked football were dancing on the benches.": "Coffee for football fans",
    "You cannot have lunch there at the weekend": "The restaurant is not open for lunch on Sundays",
    "Wait for 120 minutes": "Wait for 2 hours",
    "The kids were late with their homework": "The kids were late, but thrilled with their presents",
    "NOTICE: This cake is past its date": "I must complain that my late cake is past its date",
    "The pupil of the eye narrows in bright light": "The pupil of the eye widens at the sight of strawberries",
    "Her terrier sank its teeth into his leg": "The dog bites a man",
}
# by the first sentence of the farthest pair
BRIDGES = {
    "Berlin is the capital of Germany": "A German cook in Berlin stirs cumin into his chili",
    "Stir the sauce so that it does not burn": "The cook who stirs the sauce cannot pay her rent this month",
    "The new movie is so great": "A woman watches a great new movie on TV",
}
