"""Words of the trade that may stay in a technical text or, with the option, in a description; every other word goes.

Neither names nor numbers longer than four digits can pass: a word stays when it is listed here, or is a short mark of a filter,
coil or sequence ("B30f", "FC13", "T1").
"""

from __future__ import annotations

import re

_LISTED = frozenset(
    """
    a abd abdomen abdominal acetabulum acquisition adc adrenal adult airway airways algo1 algo2 aligned and angio angiogram
    angiography ankle anterior aorta aortic ap apex apical arch arterial arteries artery as asl atrium attenuation average
    axial axis b back bilateral biliary biopsy bladder bold bone boneplus bones bowel brachial brain breast breasts bronchus
    butterworth c calcaneus calculated calf cardiac carotid cavity cc celiac cemra cerebral cervical chest chestplus child
    cholangiography cine circulation clavicle clip coil colon colour compression contrast contrast-enhanced convergence
    coronal coronary corrected cortex cranial cranium cross ct cta cube cuff cyst d deep dental derived detail detector
    diaphragm diastole diffusion digital doppler dorsal dose dual duodenum dwi dynamic ear early echo edge elbow enhanced epi
    esophagus exam expiration extremities extremity eye eyes face facial fast fat fbp female femoral femur fetal fetus fiesta
    filter finger fingers first flair flash flow fluoro foot for forearm four frontal fse full fundus gallbladder gantry
    gastric gated gaussian gradient gre hand hands hann hanning hd head heart hepatic high hip hips hu humerus iliac image
    images imaging in infant inferior inspiration internal inversion iso iterative iv jaw joint kernel kidney kidneys knee
    knees l large larynx lat late lateral left leg legs lens limb limbs liver lobe localiser localizer localizers loop low
    lower lumbar lumbosacral lung lungplus lungs mag magnitude male mammogram mammography mandible map maxilla mean measured
    medial median mediastinum medium mesenteric mip mitral mlem mlo model mono mpr mprage mr mra mrcp mri mrv multi muscle
    nasal native neck neonatal nerve non-contrast none normal nuclear oblique occipital omentum oral orbit orbits os osem
    ovary pa paediatric palate pancreas parallel paranasal parietal partial patella pd pediatric pelvic pelvis perfusion pet
    phase pituitary placenta plain planar plane plantar plus po portal position post posterior pre prone prostate protocol
    proton proximal pulmonary r radial radius ramp range rapid raw recon reconstruction rectum reference reformat renal repeat
    resolution respiratory rest retina rib ribs right routine sacrum sag sagittal scan scapula scout screening se secondary
    sequence series sharp shepp-logan short shoulder shoulders single sinus sinuses skull slab slice small smooth soft spgr
    spin spine spleen spot standard standing std stent sternum stir stomach stress study subtraction super superior supine
    survey suv swan swi systole t temporal tendon testis thick thin thoracic thorax three thumb thyroid tibia time tissue toe
    toes tof tomography topogram total tra trachea tracking trans transverse tricuspid true tse turbo two ulna ultra
    ultrasharp ultrasound upper ureter urethra urinary us uterus valve vascular vein veins venous ventricle ventricular
    vertebra vessel vibe view views volume w water weighted wide window with without wo wrist x-ray xray y z
    lead leads einthoven goldberger wilson i ii iii avr avl avf millimeter millimetre centimeter microvolt millivolt units no
    """.split()  # noqa: SIM905 - a table of words
)
_MARK = re.compile(r"[A-Za-z]{0,2}\d{1,3}[a-z]{0,2}|\d{1,4}")
_SPLIT = re.compile(r"([ \\/_,;:()+*.\[\]-]+)")
_LONGEST = 256


def clean(text: str) -> str:
    """The text with its known words only, "" when there is none.  A text of known words is unchanged."""
    if len(text) > _LONGEST:
        return ""
    parts = _SPLIT.split(text)
    if all(not word or known(word) for word in parts[::2]):
        return text if any(parts[::2]) else ""
    return " ".join(word for word in parts[::2] if word and known(word))


def known(word: str) -> bool:
    """A word of the list, or the short mark of a filter or sequence."""
    return word.isascii() and (word.lower() in _LISTED or _MARK.fullmatch(word) is not None)
