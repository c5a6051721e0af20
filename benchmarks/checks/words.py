"""Words of the generated data sets: concepts with synonyms, so that paraphrases and graded pairs can be made."""

from __future__ import annotations

SUBJECTS = (
    ("a man", "a guy"), ("a woman", "a lady"), ("a child", "a kid"), ("a doctor", "a physician"),
    ("a dog", "a puppy"), ("a chef", "a cook"), ("a teacher", "an instructor"), ("a farmer", "a grower"),
    ("a police officer", "a cop"), ("a musician", "a performer"), ("a student", "a pupil"),
    ("a driver", "a motorist"), ("a cat", "a kitten"), ("a lawyer", "an attorney"),
    ("a painter", "an artist"), ("a fisherman", "an angler"), ("an athlete", "a sportsman"),
    ("a baker", "a pastry maker"), ("an old couple", "an elderly couple"), ("a tourist", "a traveller"),
)  # fmt: skip
"""Who does it."""

ACTIONS = (
    ("is slicing an onion", "is cutting an onion"), ("is riding a horse", "is on horseback"),
    ("is playing the guitar", "is strumming a guitar"), ("is reading a newspaper", "is looking through a paper"),
    ("is repairing a bicycle", "is fixing a bike"), ("is swimming", "is taking a swim"),
    ("is singing a song", "is performing a song"), ("is painting a fence", "is coating a fence with paint"),
    ("is sleeping", "is taking a nap"), ("is eating an apple", "is munching on an apple"),
    ("is running fast", "is sprinting"), ("is writing a letter", "is composing a letter"),
    ("is climbing a rock", "is scaling a boulder"), ("is washing a car", "is cleaning a car"),
    ("is dancing", "is moving to the music"), ("is throwing a ball", "is tossing a ball"),
    ("is drinking coffee", "is sipping coffee"), ("is planting a tree", "is putting a tree into the ground"),
    ("is buying shoes", "is purchasing shoes"), ("is taking a photograph", "is snapping a picture"),
    ("is waiting for the bus", "is expecting the bus"), ("is building a wall", "is putting up a wall"),
    ("is feeding the birds", "is giving food to the birds"), ("is shouting at a neighbour", "is yelling at a neighbour"),
    ("is carrying a heavy box", "is lugging a heavy crate"), ("is opening a window", "is pushing a window open"),
    ("is peeling potatoes", "is taking the skin off potatoes"), ("is skating on ice", "is gliding over the ice"),
    ("is watching television", "is in front of the TV"), ("is folding laundry", "is folding the clothes"),
)  # fmt: skip
"""What is done."""

PLACES = (
    ("in the kitchen", "in a kitchen"), ("on the beach", "at the seaside"), ("in the park", "in a public garden"),
    ("near the station", "close to the station"), ("in front of the school", "outside the school"),
    ("at the market", "in the marketplace"), ("on a bridge", "upon a bridge"), ("in the rain", "while it rains"),
    ("at night", "after dark"), ("in the mountains", "among the hills"), ("beside a river", "by a river"),
    ("in the backyard", "behind the house"),
)  # fmt: skip
"""Where."""

THINGS = (
    "router", "printer", "coffee machine", "smart watch", "vacuum robot", "dishwasher", "tablet", "headset",
    "thermostat", "camera", "e-bike", "scanner", "projector", "fridge", "hearing aid", "game console",
    "lawn mower", "door bell", "heat pump", "card reader", "sewing machine", "baby monitor", "air purifier",
    "electric guitar", "3D printer", "rice cooker", "toothbrush", "drone", "microphone", "water filter",
)  # fmt: skip
"""What customers ask about."""

PROBLEMS = (
    ("How do I reset my {0}?", "can't log in to the {0} any more, how to start over",
     "Hold the button on the back of the {0} for ten seconds until the light blinks; all settings are then erased."),
    ("Why is my {0} so loud?", "the {0} makes a terrible noise",
     "Noise of the {0} mostly comes from dust in its fan. Unplug it, open the lid and clean the blades."),
    ("How long is the warranty of the {0}?", "is my {0} still under guarantee",
     "A {0} that was bought from us is covered for two years from the date on the invoice."),
    ("Can I return the {0}?", "I want my money back for the {0}",
     "You may send the {0} back within thirty days, in its original box and with all accessories."),
    ("Where do I find the manual of the {0}?", "looking for instructions for the {0}",
     "The handbook of the {0} can be downloaded as a file from the page of the product."),
    ("How do I connect the {0} to the wireless network?", "the {0} does not see my wifi",
     "Open the app, choose the {0} among the devices and type the password of your wireless network."),
    ("Which cable does the {0} need?", "what power supply fits the {0}",
     "The {0} is charged by the cable that came with it; any adapter of twelve volts will do."),
    ("Is the {0} waterproof?", "my {0} got wet, is that bad",
     "Splashes do no harm to the {0}, but it must not be put under running water."),
    ("How do I clean the {0}?", "the {0} is dirty, what may I use on it",
     "Wipe the {0} with a soft cloth and a little soap. Solvents would make its surface dull."),
    ("Why does the battery of the {0} drain so fast?", "the {0} is empty after an hour",
     "Cold shortens the time that the battery of a {0} lasts; turn off what you do not use."),
    ("How do I update the software of the {0}?", "the {0} asks for new firmware",
     "New firmware for the {0} is installed over night if it is plugged in and online."),
    ("Do you ship the {0} abroad?", "can the {0} be delivered to another country",
     "The {0} is delivered to all countries of the continent; duties are paid by whoever receives it."),
)  # fmt: skip
"""Question, the same in other words, and the answer."""

INTENTS = {
    "cancel order": (
        "please cancel my order of the {0}",
        "I do not want the {0} any more, stop the order",
        "call off the purchase of the {0}",
        "the {0} was ordered by mistake, cancel it",
    ),
    "track parcel": (
        "where is my parcel with the {0}",
        "when will the {0} arrive",
        "track the delivery of the {0}",
        "the {0} should have come yesterday, where is it now",
    ),
    "praise": (
        "I love the {0}",
        "the {0} is wonderful, thank you",
        "best {0} I ever had",
        "so happy with this {0}",
    ),
    "complaint": (
        "the {0} is a disappointment",
        "I am angry about the {0}",
        "terrible quality, this {0}",
        "I regret having bought the {0}",
    ),
    "price": (
        "how much is the {0}",
        "what does the {0} cost",
        "is there a discount on the {0}",
        "the price of the {0}, please",
    ),
    "repair": (
        "my {0} is broken, can you fix it",
        "who repairs a {0}",
        "the {0} needs to be mended",
        "send someone to repair the {0}",
    ),
    "availability": (
        "is the {0} in stock",
        "do you still have the {0}",
        "when can I buy the {0} again",
        "is the {0} sold out",
    ),
    "invoice": (
        "I need an invoice for the {0}",
        "send me the bill of the {0}",
        "the receipt for the {0} is missing",
        "could I get the invoice of my {0} once more",
    ),
}
"""Class → ways to say it."""

COLORS = ("red", "navy blue", "olive green", "black", "white", "mustard yellow", "grey", "purple")
MATERIALS = ("cotton", "wool", "leather", "linen", "oak", "steel", "bamboo", "glass")
GOODS = (
    "shirt",
    "jacket",
    "chair",
    "lamp",
    "backpack",
    "rug",
    "table",
    "blanket",
    "vase",
    "shelf",
    "wallet",
    "pan",
)
BRANDS = ("Arlo", "Nordvik", "Casa Lumo", "Fenwick", "Tamari", "Bluebell", "Kestrel", "Ostrava")

COUNTRIES = ("Portugal", "Norway", "Chile", "Japan", "Kenya", "Canada", "Poland", "Vietnam", "Greece", "Peru")
TRADES = (
    "shipbuilding",
    "cheese",
    "watchmaking",
    "copper mining",
    "lace",
    "fishing",
    "porcelain",
    "wine",
    "paper",
    "salt",
)
SIGHTS = (
    "a medieval castle",
    "a botanical garden",
    "a long pier",
    "an opera house",
    "a Roman bridge",
    "a lighthouse",
    "a cathedral of brick",
    "a covered market",
    "a railway museum",
    "hot springs",
)
SYLLABLES = (
    "bel",
    "mor",
    "tan",
    "vi",
    "ka",
    "ros",
    "len",
    "dor",
    "su",
    "ri",
    "pal",
    "ost",
    "nim",
    "ga",
    "fer",
    "lu",
)

DUTIES = (
    ("The tenant pays the rent by the third day of each month", "rent is due at the beginning of the month"),
    ("The employee keeps trade secrets also after the end of the contract", "confidentiality survives termination"),
    ("The supplier replaces defective goods without charge", "faulty deliveries are exchanged for free"),
    ("Either party may terminate on three months' notice", "the contract can be ended with a notice of a quarter"),
    ("The licensee may not copy the software", "duplication of the program is forbidden"),
    ("Disputes are decided by the courts of the seller's seat", "the vendor's home courts have jurisdiction"),
    ("The insurer bears damage by fire and water", "losses from flames and floods are covered"),
    ("The borrower repays the loan in twelve instalments", "the credit is paid back in a dozen parts"),
    ("The contractor is liable for delay", "late completion makes the builder responsible"),
    ("The buyer inspects the goods on delivery", "merchandise is examined when it arrives"),
    ("The agent receives a commission of five per cent", "the representative earns a share of each sale"),
    ("Personal data are erased after ten years", "private records are deleted once a decade has passed"),
)  # fmt: skip
"""A clause, and a short claim that follows from it."""
PARTIES = (
    "Harlow Ltd",
    "Brightwater GmbH",
    "Castellan plc",
    "Mirador SA",
    "Juno Foods",
    "Vantor Inc",
    "Oakley Bros",
    "Sundial AG",
    "Pellucid LLP",
    "Tern and Sons",
    "Quarto Press",
    "Eskdale Mills",
)

GERMAN = (
    (("Ein Mann", "Ein Herr"), ("Eine Frau", "Eine Dame"), ("Ein Kind", "Ein kleines Kind"), ("Ein Arzt", "Ein Doktor"),
     ("Ein Hund", "Ein junger Hund"), ("Ein Koch", "Ein Küchenchef"), ("Ein Lehrer", "Ein Schullehrer"),
     ("Ein Bauer", "Ein Landwirt"), ("Ein Musiker", "Ein Künstler"), ("Ein Schüler", "Ein Schulkind")),
    (("schneidet eine Zwiebel", "zerkleinert eine Zwiebel"), ("reitet auf einem Pferd", "sitzt auf einem Pferd"),
     ("spielt Gitarre", "musiziert auf der Gitarre"), ("liest eine Zeitung", "blättert in einer Zeitung"),
     ("repariert ein Fahrrad", "bringt ein Fahrrad in Ordnung"), ("schläft", "hält ein Nickerchen"),
     ("wäscht ein Auto", "putzt ein Auto"), ("trinkt Kaffee", "nimmt einen Schluck Kaffee"),
     ("wartet auf den Bus", "steht und wartet auf den Bus"), ("pflanzt einen Baum", "setzt einen Baum in die Erde")),
    (("in der Küche", "in einer Küche"), ("am Strand", "am Meer"), ("im Park", "in einem Park"),
     ("bei Nacht", "in der Nacht"), ("über den Dächern", "auf dem Dach"), ("vor der Schule", "an der Schule")),
)  # fmt: skip
"""The same in German: subjects, actions, places."""

FUNCTIONS = (
    ("sum of the even numbers", "sum(value for value in {0} if value % 2 == 0)"),
    ("largest element", "max({0})"), ("number of distinct elements", "len(set({0}))"),
    ("elements in reverse order", "list(reversed({0}))"), ("elements without duplicates", "list(dict.fromkeys({0}))"),
    ("mean of all elements", "sum({0}) / len({0})"), ("elements below a limit", "[x for x in {0} if x < limit]"),
    ("elements above zero", "[x for x in {0} if x > 0]"), ("counts of each element", "Counter({0})"),
    ("elements joined to a string", "', '.join(map(str, {0}))"), ("first element or a default", "next(iter({0}), default)"),
    ("dict from element to position", "{{x: i for i, x in enumerate({0})}}"),
)  # fmt: skip
"""What a function of Python returns, and how."""
OBJECTS = (
    "prices",
    "scores",
    "orders",
    "ages",
    "weights",
    "heights",
    "votes",
    "salaries",
    "temperatures",
    "grades",
)
