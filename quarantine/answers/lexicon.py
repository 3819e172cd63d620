"""The words people answer with, as tables: what they mean, what changes nothing, and what makes an answer doubtful.

A permission is read only where every word of the answer is known and nothing around it speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quarantine.answers.model import ASK_IG, DELETE, HELP


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


def _all(table: Mapping[str, str]) -> dict[str, str]:
    return {phrase: said for said, text in table.items() for phrase in _phrases(text)}


# A word of a tag (quarantine.answers.words.atoms) ← phrases that mean it.
ATOMS: Final = _all({
    "verbal": """
        verbal | verbally | oral | orally | spoken | verbalised | verbalized | by word of mouth | agreed verbally | said
        yes | said ok | said okay | said it is ok | said it's ok
    """,
    "written": """
        written | in writing | signed | signed form | signed consent | signed a form | signed the form | signed the
        consent form | signed a consent form | form signed
    """,
    "telephone": "telephone | phone | by phone | over the phone | on the phone | by telephone | telephonic",
    "implied": "implied | implicit",
    "parent": """
        parent | parents | parental | mum | mother | mom | dad | father | legal guardian | guardian | mummy | daddy |
        parental responsibility | person with parental responsibility
    """,
    "gillick": "gillick | gillick competent | child able to decide | competent child | fraser competent",
    "referral": "referral | for referral | for the referral | care | for care",
    "teaching": "teaching | for teaching | education",
    "research": "research | for research",
    "publication": "publication | for publication | publishing",
    "legal": "legal | for legal use",
    "patient request": "patient request | at the patient's request | patient's request | requested by patient",
    "intimate": "intimate",
    "right address": "right address | right person | correct address | address is right | address is correct",
})  # fmt: skip
# A whole answer ← phrases that mean it.
WHOLE: Final = _all({
    "NOT PATIENT": """
        not patient | not a patient | not patient image | not a patient image | not patient picture | not a picture of a
        patient | not a patient picture | not a photo of a patient | not an image of a patient | it's not a patient | it
        is not a patient | not patients | isn't a patient | is not a patient | not pt | not a pt | not a patient photo |
        non patient | non-patient
    """,
    "NO PATIENT PICTURE": """
        no patient picture | no patient image | no picture of a patient | no patient pictures | no patient photo
    """,
    "DOCUMENT": "document | it's a document | a document | document only | letter | it's a letter | a letter",
    "TEACHING NO PATIENTS": "teaching no patients | teaching, no patients",
    ASK_IG: """
        ask ig | ask i g | ask the ig team | ask ig team | ask information governance | ask the ig | ig | ig please |
        send to ig | pass to ig | refer to ig | forward to ig | ask governance | let ig decide | ig to decide | i will
        ask ig | please ask ig
    """,
    DELETE: """
        delete | delete it | delete this | please delete | do not send | don't send | dont send | do not send it | don't
        send it | dont send it | cancel | cancel it | bin it | discard | discard it | stop it | delete email | delete
        the email | delete message | don't send this | do not send this | please do not send | please don't send |
        deleted
    """,
    HELP: """
        help | help me | help please | please help | i need help | need help | what do i do | what should i do | what
        does this mean | i don't understand | i do not understand | call me | please call me | ring me | please ring me
        | please phone me
    """,
})  # fmt: skip
EMERGENCIES: Final = _phrases("emergency | emergancy | emergencey | urgent emergency | emergency use | break glass | break-glass")
# Words that change nothing beside an answer.
FILLERS: Final = _words("""
    a an and all am also as at been by consent consented consents consenting agreed agrees agreement given gave obtained
    taken took confirmed confirms documented recorded noted received got has have had he her him his i i've ive in is it
    it's its just me my of ok okay on our patient patient's patients pt pt's she the their them they this today was we
    were yes yep yeah please pls plz thanks thank thx you your happy for from with via clinic ward appointment appt
    consultation face type answer reply response so that mine it'll hi hello dear team hey sorry about again full informed
    explicit express permission good morning afternoon evening that's thats done sure fine correct both one himself
    herself who said record notes notes' picture pictures photo photos image images sending send shared sharing use used
    photographs photograph mr mrs ms miss dr ta cheers
""")
# Phrases that change nothing, though one of their words alone might.
FILLER_PHRASES: Final = _phrases("""
    i confirm | i can confirm | we confirm | to this | to it | to share | to sharing | to send | to sending | to the | to
    have it sent | to photos | to pictures | to images | to photo | to picture | to image | to photographs
""")
# How a question begins; behind these no statement is read, whether the question mark is there or not.
QUESTIONS: Final = _words("""
    am are can could did do does how is may might shall should was were what when where which who why will would
""")
# "has the patient …" asks, "has agreed" states.
SUBJECTS: Final = _words("""
    dad he mum patient pt she the they we
""")
# Doubtful words that are names as well: alone on a line under the answer.
NAMES: Final = _words("""
    gran grant hope may will
""")
# Doubtful words that an answer which deletes may well hold.
IN_DELETE: Final = _words("""
    another as ask consent consented decline declined delete different else error incorrect instead mistake need needed no not
    other refused refuses someone unhappy upset was will withdrawn withdrew wrong
""")
# Doubtful words that an answer which says that no patient is in the picture may well hold.
IN_DENIAL: Final = _words("""
    isn't isnt never no nobody none not wasn't without
""")
# Words that make an answer doubtful wherever they stand: no permission is read beside one of them.
DOUBTS: Final = _words("""
    no not none never nor neither without cannot cant can't couldn't didn't didnt don't dont doesn't doesnt hasn't hasnt
    haven't havent isn't isnt wasn't wasnt weren't won't wont wouldn't shouldn't unable unwilling unclear unsure uncertain
    unknown unlikely unaware refuse refused refuses refusing refusal decline declined declines declining withdraw withdrew
    withdrawn withdraws withdrawal withdrawing deny denied denies revoke revoked retract retracted rescind rescinded
    object objected objects objection reject rejected dissent reluctant hesitant against oppose opposed maybe perhaps
    possibly probably presumably might may could should would will shall going gonna try trying ask asked asking await
    awaiting awaited pending wait waiting later tomorrow soon yet but however except only unless if until till still
    although though need needs needed require required requires requesting request requested seek seeking sought chase
    chasing lack lacks lacking lacked missing absent forgot forgotten forget wrong mistake incorrect error stop cancel
    hold ignore recall undo expired outdated lapsed invalid void rescheduled postponed tbc tbd assume assumed assuming
    think thought believe believed guess suppose supposed hope hoping whether either or versus vs instead rather partly
    partial limited old previous previously former someone else other another different wife husband son daughter carer
    relative relatives family brother sister nok kin attorney lpa grandmother grandfather nan gran grandma grandad
    grandparent aunt uncle partner spouse friend neighbour teacher nurse translator interpreter unconscious sedated
    confused demented dementia capacity incapable bar barring nope nah negative minus lost query false untrue stopped
    ceased changed minds dunno idk unhappy upset distressed uncomfortable almost nearly hardly barely apparently allegedly
    once wakes obtaining nicht kein keine keinen nein nie ohne abgelehnt verweigert nein niet non pas sans jamais aucun
    aucune refusé refusée sin nunca ningún ninguna rechazado rechazó negó senza nessun nessuno rifiutato sem não nao recusou
    recusado nu fără fara niciodată refuzat bez brak odmówił odmówiła
""")
# Words that no answer knows, of one who does not know: "no idea, ask IG".
UNSURE: Final = _words("""
    idea know clue
""")
# Words behind an answer that turn it into a question: "verbal is it".
TURNS: Final = frozenset(_phrases("""
    is it | is it ok | is it okay | is it enough | is that ok | is that okay | is that enough | was it | is that | is this |
    did she | did he | did they | has she | has he | has it | was she | was he
"""))  # fmt: skip
# Harmless phrases that hold such a word; taken out before doubts are looked for.
HARMLESS: Final = _phrases("""
    no problem | no problems | no worries | no objection | no objections | had no objection | has no objection | no issues
    | not a problem | if you need anything | if you need anything else | any other questions | sorry for not adding it |
    sorry i forgot | sorry, i forgot | i forgot | forgot to add | i forgot to add it | no further questions | speak soon |
    talk soon | will do | should be fine | has capacity | with capacity | patient has capacity | have capacity | only word
    | nothing else | no need to reply | apologies for the wait | as requested | as required |
    sent from my iphone | sent from my ipad | sent from my phone | sent from my mobile | sent from my mobile phone | sent from
    my android | sent from my android phone | sent from my samsung | sent from my samsung galaxy | sent from my galaxy | sent
    from outlook for ios | sent from outlook for android | sent from my work phone | sent from my smartphone
""")
# Behind these "send it" is no request: "do not send it", "then send it", "I will send it".
BEFORE_NO_REQUEST: Final = _words("""
    not never no to i we they she he it you who dont cannot cant will would should must might may could can shall if when
    then before after until till once or either unless than
""")
# "Not a patient" may be followed by what it is, in the same breath; how that begins.
IT_IS: Final = frozenset(_phrases("""
    its a | it's a | it is a | its an | it's an | it is an | its the | it's the | it is the | its our | it's our | it is our |
    its my | it's my | it is my | this is a | this is an | this is the | this is our | thats a | that's a | that is a |
    just a | just an | just the | just our | its just a | it's just a | it is just a | its only a | it's only a | photo of a |
    photo of the | photo of our | picture of a | picture of the | picture of our
"""))  # fmt: skip
# How a sentence of its own begins that says what a picture is of.
PICTURES_OF: Final = tuple(
    f"{begun} "
    for begun in _phrases("""
    it is | it's | its | this is | that is | that's | thats | just | only | photo of | photos of | picture of | pictures of |
    a photo of | a picture of | image of | an image of | shows | it shows | his | her | she is | he is | she's | he's | my
""")
)
# People, parts of them and what is photographed on them: beside one of these "not a patient" is asked again.
PEOPLE: Final = _words("""
    he him his himself she her hers herself me myself man men woman women boy girl lady ladies gentleman gent bloke guy baby
    babies child children kid infant newborn neonate toddler teenager adult person people human student trainee nurse doctor
    colleague staff visitor resident client volunteer mum mother dad father mom son daughter wife husband sister brother
    friend relative gran nan somebody someone anybody year yo aged body arm forearm elbow wrist hand finger thumb palm
    nail leg thigh knee calf shin ankle foot feet heel toe hip groin buttock bottom back spine chest breast nipple abdomen
    tummy stomach belly neck throat head scalp hair face cheek chin forehead nose nostril ear eye eyelid eyebrow lip mouth
    tongue tooth teeth gum jaw shoulder armpit axilla genital genitalia penis scrotum testicle vulva vagina anus perineum
    skin limb torso trunk stump foreskin umbilicus bum retina fundus cornea iris pupil cervix uvula tonsil palate
    lesion mole naevus nevus rash wound ulcer burn scar lump bump cyst bite bruise cut laceration graze sore blister spot
    freckle wart boil abscess stoma drain suture stitch graft flap fracture swelling injury infection tumour tumor cancer
    bcc scc growth nodule papule plaque patch eczema psoriasis acne hives urticaria shingles zoster gangrene necrosis
    oedema edema haematoma keloid fistula sinus hernia polyp biopsy specimen scan xray ray ecg ct mri ultrasound fetus foetus
    placenta blood vein bone deceased corpse
""")
# Words of tags: a misspelling one letter away is taken for the word, where no other word is as near.
NEAR: Final = ("verbal", "verbally", "written", "parent", "parental", "telephone", "implied", "gillick", "emergency", "document",
               "delete", "referral", "teaching", "research", "publication", "intimate", "patient", "consent")  # fmt: skip
# The same said in another language: a sentence of its own that is left aside where it says what the answer says.
TRANSLATED: Final = _all({
    "verbal": """
        mündlich | muendlich | mundlich | mündliche einwilligung | mündliche zustimmung | ustnie | ustna zgoda | zgoda ustna |
        verbalmente | oralmente | de palabra | consentimiento verbal | consentimiento oral | verbalement | oralement |
        consentement verbal | consentement oral | a voce | consenso verbale | consenso orale | consentimento verbal |
        consentimento oral | consimțământ verbal | consimtamant verbal
    """,
    "written": """
        schriftlich | schriftliche einwilligung | schriftliche zustimmung | pisemnie | na piśmie | na pismie | pisemna zgoda |
        zgoda pisemna | por escrito | escrito | consentimiento escrito | consentimiento por escrito | par écrit | par ecrit |
        écrit | consentement écrit | per iscritto | scritto | consenso scritto | consentimento escrito | consentimento por
        escrito | în scris | in scris | consimțământ scris | consimtamant scris
    """,
    "parent": """
        eltern | elternteil | die eltern | mutter | vater | rodzic | rodzice | matka | ojciec | padre | madre | padres | mère |
        père | le parent | les parents | genitore | genitori | mamma | papà | pai | mãe | pais | părinte | parinte | părinți |
        parinti | mama | tata | tată
    """,
})  # fmt: skip
# Characters as words: emoji, and quotes as phones write them.
PICTURES: Final = {
    **dict.fromkeys("👍🙏😊🙂✅✔👌😀😁🤗💯⭐❤👏🤞", " "),
    **dict.fromkeys("👎❌🚫✖⛔🙅", " not "),
    **dict.fromkeys("❓❔🤔🤷", " ? "),
    **dict.fromkeys("‘’´`", "'"),
    **dict.fromkeys("“”„", '"'),
}
